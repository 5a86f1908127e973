import assert from 'node:assert/strict';
import * as v from 'valibot';
import { parseTarget } from '../../src/base/index.js';
import type { CommandOptions, CommandResult, Connection, Ports } from '../../src/base/index.js';
import { sshProbe } from '../../src/probe/ssh.js';
import type { SshOptions } from '../../src/probe/ssh.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement, SshDetails } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import { SshServer, serveSsh } from './ssh-server.js';
import type { SshServerOptions } from './ssh-server.js';

export const HOME = '/home/me';
export const SOCKET = `${HOME}/.ssh/cm-me@10.0.0.2:22`;
export const GREETED: CommandResult = { outcome: 'exited', code: 0, stdout: '', stderr: '' };

/** What a scripted ssh program does, by what it is asked. */
export interface Script {
  /** Lines of `ssh -G` beside host, port and user. */
  readonly settings?: readonly string[];
  readonly login?: CommandResult;
  readonly loginMs?: number;
  readonly over?: CommandResult;
  /** By socket. */
  readonly masters?: Readonly<Record<string, CommandResult>>;
  readonly missing?: boolean;
}

export interface Ran {
  readonly args: readonly string[];
  readonly options: CommandOptions;
}

export function failed(stderr: string): CommandResult {
  return { outcome: 'exited', code: 255, stdout: '', stderr };
}

function client(network: SimNetwork, script: Script): { ports: Ports; ran: Ran[] } {
  const ran: Ran[] = [];
  const ports = network.ports('client');
  const optionOf = (args: readonly string[], name: string): string | undefined =>
    args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
  const run = async (program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> => {
    assert.equal(program, 'ssh');
    ran.push({ args, options });
    if (script.missing === true) return { outcome: 'missing' };
    const path = optionOf(args, 'ControlPath');
    if (args.includes('-G')) {
      await ports.clock.sleep(6);
      const lines = [
        'user me',
        'hostname 10.0.0.2',
        'port 22',
        ...(script.settings ?? []),
        ...(path === undefined ? [] : [`controlpath 1000:${HOME}`]),
      ];
      return {
        ...GREETED,
        stdout: lines.filter((line) => path === undefined || !line.startsWith(`controlpath ${HOME}`)).join('\n'),
      } as CommandResult;
    }
    if (args.includes('-O')) return script.masters?.[path ?? ''] ?? failed('Control socket connect: No such file or directory');
    const own = path === 'none' ? (script.login ?? GREETED) : (script.over ?? GREETED);
    await ports.clock.sleep(path === 'none' ? (script.loginMs ?? 120) : 30, options.signal);
    return own;
  };
  return { ports: { ...ports, commands: { run } }, ran };
}

export interface Run {
  readonly script?: Script;
  readonly server?: SshServerOptions | 'mute' | 'none' | ((connection: Connection, number: number) => void);
  readonly options?: Partial<SshOptions>;
  readonly target?: string;
  readonly signal?: (network: SimNetwork) => AbortSignal;
  readonly prepare?: (network: SimNetwork) => void;
}

export async function measure(run: Run = {}): Promise<{ found: Map<string, Measurement>; ran: Ran[]; details: SshDetails; servers: SshServer[] }> {
  const network = new SimNetwork({
    hosts: { client: { addresses: ['10.0.0.1'] }, server: { addresses: ['10.0.0.2'], services: [{ kind: 'silent', protocol: 'tcp', port: 81 }] } },
    paths: [{ from: 'client', to: 'server', delayMs: 5 }],
  });
  const servers: SshServer[] = [];
  const { server } = run;
  let connections = 0;
  if (server !== 'none') {
    network.host('server').listen(22, {
      onConnection: (connection) => {
        connections++;
        if (typeof server === 'function') return server(connection, connections);
        if (server === 'mute') return;
        servers.push(new SshServer(server));
        void serveSsh(connection, servers.at(-1));
      },
    });
  }
  run.prepare?.(network);
  const { ports, ran } = client(network, run.script ?? {});
  const measurements = await network.run(() =>
    sshProbe.run({
      target: parseTarget(run.target ?? 'beta'),
      path: 'default',
      options: { ...sshProbe.defaults, ...run.options },
      ports,
      seed: 1,
      signal: run.signal?.(network) ?? new AbortController().signal,
      onProgress: () => undefined,
    }),
  );
  for (const measurement of measurements) {
    v.parse(MeasurementSchema, measurement);
    assert.ok(measurement.outcome === 'ok' || (measurement.reason ?? '').length > 10, JSON.stringify(measurement));
  }
  return {
    found: new Map(measurements.map((each) => [each.metric, each])),
    ran,
    details: Object.assign({}, ...measurements.map((each) => each.details)) as SshDetails,
    servers,
  };
}

export function told(found: Map<string, Measurement>): Record<string, string> {
  return Object.fromEntries([...found].map(([metric, each]) => [metric, each.outcome]));
}

export const reason = (found: Map<string, Measurement>, metric: string): string => found.get(metric)?.reason ?? '';
export const median = (found: Map<string, Measurement>, metric: string): number => found.get(metric)?.summary?.median ?? Number.NaN;

/** Sockets of this user in the folder of the first. */
export function withSockets(...paths: readonly string[]): (network: SimNetwork) => void {
  return (network) => {
    const { files } = network.host('client');
    const names = paths.map((path) => path.slice(path.lastIndexOf('/') + 1));
    for (const path of paths) files.addSocket(path);
    for (const path of paths) files.describe(path, { ownerId: 1000 });
    files.list = async (folder) => (folder === `${HOME}/.ssh` ? names : undefined);
  };
}
