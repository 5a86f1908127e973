import assert from 'node:assert/strict';
import { simTuneHost } from '../../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../../src/sim/index.js';
import { applyChange, rollBack } from '../../../src/tune/index.js';
import type { EnvironmentFacts, HostView, JournalStep, Setting, Step } from '../../../src/tune/index.js';
import { findSetting } from '../../../src/tune/settings/registry.js';
import { createView } from '../../../src/tune/view.js';

type Files = NonNullable<TuneHostSpec['files']>;

/** A rented virtual machine with systemd, as a provider's image has it; what a test gives goes over it. */
export interface Served {
  readonly files?: Files;
  /** Files that are not there after all. */
  readonly without?: readonly string[];
  readonly symlinks?: NonNullable<TuneHostSpec['symlinks']>;
  readonly folders?: NonNullable<TuneHostSpec['folders']>;
  readonly values?: NonNullable<TuneHostSpec['values']>;
  readonly interfaces?: Card[];
  readonly programs?: NonNullable<TuneHostSpec['programs']>;
  readonly services?: NonNullable<TuneHostSpec['services']>;
  readonly root?: boolean;
  readonly kernel?: string;
  readonly os?: string;
  readonly home?: string;
  readonly environment?: Partial<EnvironmentFacts>;
}

const USER = 1000;
type Card = NonNullable<TuneHostSpec['host']['interfaces']>[number];
export const ETH0: Card = {
  name: 'eth0',
  addresses: ['192.0.2.10/24'],
  mtu: 1500,
  features: {
    'generic-receive-offload': { on: true },
    'rx-gro-list': { on: true },
    'rx-udp-gro-forwarding': { on: false },
    'tx-nocache-copy': { on: false, changeable: false },
  },
};
export const TAILSCALE0: Card = { name: 'tailscale0', addresses: ['100.64.0.1/32'], mtu: 1280, kind: 'tunnel', type: 'tun' };
export const FORWARDING = { '/proc/sys/net/ipv4/ip_forward': '1' } as const;
export const LIMITS = (soft: number | string, hard: number | string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax cpu time              unlimited            unlimited            seconds   \nMax open files            ${soft}                 ${hard}              files     \n`;

const VALUES: NonNullable<TuneHostSpec['values']> = {
  '/proc/sys/net/ipv4/ip_forward': '0',
  '/proc/sys/net/ipv6/conf/all/forwarding': '0',
  '/proc/sys/net/core/netdev_max_backlog': '1000',
  '/proc/sys/net/ipv4/tcp_low_latency': '0',
  '/proc/sys/net/ipv4/tcp_sack': '1',
  '/proc/sys/vm/swappiness': '60',
  '/proc/sys/fs/nr_open': '1048576',
  '/proc/self/limits': LIMITS(1024, 1_048_576),
};

const FILES: Files = {
  '/etc/security/limits.conf': '# /etc/security/limits.conf\n#*               soft    core            0\n',
  '/etc/systemd/system.conf': '[Manager]\n#DefaultLimitNOFILE=1024:524288\n',
  '/etc/systemd/user.conf': '[Manager]\n#DefaultLimitNOFILE=\n',
  '/etc/systemd/resolved.conf': '[Resolve]\n#Cache=yes\n',
  '/usr/lib/systemd/libsystemd-shared-252.so': '',
  '/run/systemd/system/placeholder': '',
  '/run/systemd/resolve/stub-resolv.conf': 'nameserver 127.0.0.53\noptions edns0 trust-ad\n',
  '/home/ana/.profile': { text: '# ~/.profile\n', ownerId: USER },
};

export async function served(given: Served = {}): Promise<{ host: SimTuneHost; view: HostView; viewAgain: () => Promise<HostView> }> {
  const { root = true, kernel = '6.1.0-28-amd64', os = 'Debian GNU/Linux 12 (bookworm)', home = '/home/ana', environment = {} } = given;
  const files = { ...FILES, ...given.files };
  for (const path of given.without ?? []) delete files[path];
  const host = simTuneHost({
    name: 'vps',
    host: { addresses: ['192.0.2.10'], gateway: '192.0.2.1', identity: { kernel, os, cpus: 2 }, interfaces: given.interfaces ?? [ETH0] },
    files,
    values: { ...VALUES, ...given.values },
    symlinks: { '/etc/resolv.conf': '/run/systemd/resolve/stub-resolv.conf', ...given.symlinks },
    ...(given.folders ? { folders: given.folders } : {}),
    ...(given.programs ? { programs: given.programs } : {}),
    ...(given.services ? { services: given.services } : {}),
    ...(root ? {} : { user: { ownerId: USER, groupId: USER } }),
  });
  // A view is of one moment.
  const viewAgain = async (): Promise<HostView> => {
    const view = await createView(host.ports, { homeFolder: home });
    return { ...view, environment: { kind: 'vm', init: 'systemd', evidence: [], ...environment } };
  };
  return { host, view: await viewAgain(), viewAgain };
}

export function settingOf(id: string): Setting {
  const setting = findSetting(id);
  assert.ok(setting, `there is no setting ${id}`);
  return setting;
}

export async function planOn(view: HostView, id: string, value: unknown, exact = false): Promise<readonly Step[]> {
  const setting = settingOf(id);
  const parsed = setting.parse(value);
  if ('problem' in parsed) assert.fail(`${id} does not take ${JSON.stringify(value)}: ${parsed.problem}`);
  return await setting.plan(view, parsed.value, { exact });
}

export function problemOf(id: string, value: unknown): string {
  const parsed = settingOf(id).parse(value);
  assert.ok('problem' in parsed, `${id} takes ${JSON.stringify(value)}`);
  return parsed.problem;
}

export type Changing = Extract<Step, { verdict: 'change' }>;

export function changing(step: Step | undefined): Changing {
  assert.equal(step?.verdict, 'change', JSON.stringify(step));
  return step as Changing;
}

/** The step must be left undone for this reason. @returns its words */
export function leftFor(step: Step | undefined, reason: string): string {
  assert.equal(step?.verdict === 'not-done' ? step.reason : step?.verdict, reason, JSON.stringify(step));
  return step?.why ?? '';
}

/** Where the user may write too. */
const FOLDER = '/home/ana/.local/state/tautline';

/** Applies the steps through the engine, looks at the host, rolls back, and expects the host to be as it was, times included. */
export async function applyAndUndo(host: SimTuneHost, steps: readonly Step[], look: () => void | Promise<void>, asked?: string): Promise<void> {
  // Root believes no journals in a home folder.
  const folder = asked ?? ((await host.ports.facts.identity()).root ? '/var/lib/tautline' : FOLDER);
  const without = { without: asked === undefined ? ['/home/ana/.local', '/var/lib', '/var'] : [asked] };
  const before = host.snapshot(without);
  const journal = steps.flatMap((step) => changing(step).changes.map((change) => ({ setting: 'test', ...change }) as JournalStep));
  const applied = await applyChange(host.ports, { folder, profile: 'test', persist: false, steps: journal });
  assert.equal(applied.state, 'applied', JSON.stringify(applied));
  assert.notEqual(host.snapshot(without), before, 'something was changed');
  await look();
  const undone = await rollBack(host.ports, { folder, force: false, reason: 'asked' });
  assert.equal(undone.state, 'rolled-back', JSON.stringify(undone));
  assert.equal(host.snapshot(without), before);
}

/** The text of a file as it is on the host now; undefined when there is none. */
export async function textAt(host: SimTuneHost, path: string): Promise<string | undefined> {
  const entry = await host.control.readEntry(path);
  return entry?.kind === 'file' ? Buffer.from(entry.bytesBase64, 'base64').toString('utf8') : undefined;
}

export async function modeAt(host: SimTuneHost, path: string): Promise<string> {
  const entry = await host.control.readEntry(path);
  return entry && 'mode' in entry ? `${entry.kind} ${entry.mode.toString(8)} ${entry.ownerId}:${entry.groupId}` : 'nothing';
}
