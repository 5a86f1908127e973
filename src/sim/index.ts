/**
 * The ports of `base/` in virtual time: simulated hosts joined by paths with delay, jitter, loss, rate
 * and queues, on which the same probes and the same `serve` run as on a real network. Nothing waits: a
 * simulated minute takes what its events take, and the same scenario with the same seed always gives
 * the same figures. It is a test aid, for this package and for programs that build on it. It leaves
 * real sockets to `host/`, and what the figures mean to whoever measures.
 *
 *     const network = new SimNetwork({
 *       hosts: { laptop: { addresses: ['10.0.0.1'] }, server: { addresses: ['10.0.0.2'], services: [{ kind: 'tcp-echo', port: 7 }] } },
 *       paths: [{ from: 'laptop', to: 'server', delayMs: 10, rateBps: 50e6, queueMs: 100, loss: 0.02, back: { loss: 0 } }],
 *     });
 *     const { streams } = network.ports('laptop');
 *     const remote = { host: '10.0.0.2', port: 7, family: 4 } as const;
 *     const connected = await network.run(streams.connect({ remote, timeoutMs: 1000 })); // connectMs: 20.02
 *
 * `host(name).serveDatagrams(port, responder)` and `host(name).listen(port, ...)` let real servers' cores
 * answer inside, `kill(name)` ends a peer in the middle, and `path(from, to).counters` is the truth that
 * measurements can be held against.
 *
 * `simTuneHost(spec)` is a host on which things are changed: disk, kernel values, drivers and programs that a process of it
 * sees through the same ports and `HostControl`, that can be killed at any single write, and whose whole state is one text.
 *
 *     const host = simTuneHost(recordedVps());
 *     host.dieAfter(3, 'half');
 *     await assert.rejects(apply(host.ports), SimKilled);
 *     host.revive();
 *     assert.equal(host.snapshot(), before);
 */
export { SimCommands } from './commands.js';
export type { LinkRules } from './control-links.js';
export type { MachineSpec, SimFileSpec, SimMachine } from './control-machine.js';
export { SimKilled } from './control-process.js';
export type { DyingWrite, SimProcess } from './control-process.js';
export { answers } from './control-programs.js';
export type { ProgramAnswer, SimProgram, SimProgramCommands } from './control-programs.js';
export { tailscaled } from './control-sockets.js';
export type { SocketService } from './control-sockets.js';
export { numbers, processorList, processorMask, wholeNumber } from './control-values.js';
export type { ValueRule, ValueSpec } from './control-values.js';
export type { SimControl } from './control.js';
export { SimFiles } from './files.js';
export type { FileFault } from './files.js';
export type { SimHost } from './host.js';
export type { HttpService } from './http-server.js';
export { SimLog } from './log.js';
export type { LogLine } from './log.js';
export { SimNetwork } from './network.js';
export type { PathCounters, SimPath } from './path.js';
export { recordedContainer } from './recorded/container.js';
export { recordedMac } from './recorded/macos.js';
export { recordedMetal } from './recorded/metal.js';
export { recordedVps } from './recorded/vps.js';
export { parseScenario, ScenarioSchema } from './scenario.js';
export type { DirectionSpec, EventSpec, HostSpec, PathSpec, Scenario, ServiceSpec } from './scenario.js';
export type { Listener } from './streams.js';
export type { RunOptions } from './timeline.js';
export { SimTuneHost, simTuneHost } from './tune-host.js';
export type { SimTuneProcess, TuneHostPorts, TuneHostSpec } from './tune-host.js';
