/**
 * The ways to measure, one file each behind one interface: ping, echo, tcp, dns, tls, http,
 * throughput, responsiveness. A probe turns options into plans for the ports and the ports' logs
 * into measurements; it opens no sockets and prints nothing. What the network did is an outcome,
 * never an exception. Choosing what to measure and rating it is for others.
 *
 *     const ports = createHostPorts({});
 *     const [rtt] = await echoProbe.run({ target: parseTarget('10.0.0.2:7227'), path: 'default',
 *       options: { ...echoProbe.defaults, count: 100 }, ports, seed: 1,
 *       signal: AbortSignal.timeout(10_000), onProgress: () => {} });
 */
export { askAbout, nearAbout } from './about.js';
export type { AskAboutOptions, AskAboutResult } from './about.js';
export * from './control-client.js';
export * from './dns.js';
export { dockerProbe } from './docker.js';
export type { DockerOptions } from './docker.js';
export * from './echo.js';
export * from './echo-session.js';
export * from './http.js';
export * from './link.js';
export { mtuProbe } from './mtu.js';
export type { MtuOptions } from './mtu.js';
export * from './ping.js';
export * from './probe.js';
export * from './registry.js';
export * from './responsiveness.js';
export { parseCount } from './sampling.js';
export { overlapsOf, parsePrefix, prefixesOverlap } from './subnets.js';
export type { NamedSubnet, Prefix } from './subnets.js';
export { tailscaleProbe } from './tailscale.js';
export type { TailscaleOptions } from './tailscale.js';
export * from './tailscale-status.js';
export * from './ssh.js';
export { askSshSettings } from './ssh-settings.js';
export type { SshAnswer, SshPlace, SshSettings } from './ssh-settings.js';
export * from './tcp.js';
export * from './throughput.js';
export * from './tls.js';
export { traceProbe } from './trace.js';
export type { TraceOptions } from './trace.js';
