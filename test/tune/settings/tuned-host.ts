import assert from 'node:assert/strict';
import type { TuneHostSpec } from '../../../src/sim/index.js';
import { simTuneHost } from '../../../src/sim/index.js';
import type { EnvironmentFacts, HostView, Setting, Step } from '../../../src/tune/index.js';
import { KERNEL_6_18 } from './kernel-6-18.js';
import { findSetting } from '../../../src/tune/settings/registry.js';
import { createView } from '../../../src/tune/view.js';

export interface Given {
  /** Sysctls by name, over those of a current kernel; undefined takes one away. */
  readonly sysctls?: Readonly<Record<string, string | undefined>>;
  /** Other values of /proc and /sys, by path. */
  readonly values?: NonNullable<TuneHostSpec['values']>;
  readonly files?: NonNullable<TuneHostSpec['files']>;
  readonly interfaces?: NonNullable<TuneHostSpec['host']['interfaces']>;
  readonly links?: NonNullable<TuneHostSpec['links']>;
  readonly readOnlyBelow?: readonly string[];
  readonly symlinks?: NonNullable<TuneHostSpec['symlinks']>;
  readonly devices?: readonly string[];
  readonly kernel?: string;
  readonly cpus?: number;
  readonly root?: boolean;
  readonly environment?: EnvironmentFacts['kind'];
  /** `--interface` */
  readonly named?: readonly string[];
}

export type Card = NonNullable<Given['interfaces']>[number];

/** One card with everything that can be set, as a 10 Gbit/s Ethernet driver has it. */
export const CARD: Card = {
  name: 'eth0',
  addresses: ['192.0.2.1/24'],
  driver: 'ixgbe',
  bus: '0000:3b:00.0',
  qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:' }],
  queues: { rx: 1, tx: 1, rxMax: 8, txMax: 8 },
  rings: { rx: 512, tx: 512, rxMax: 4096, txMax: 4096 },
  coalescing: { rxUsecs: 3, txUsecs: 0, adaptiveRx: false },
  features: {
    'tx-checksumming': { on: true },
    'tx-checksum-ipv4': { on: true },
    'scatter-gather': { on: true },
    'tx-scatter-gather': { on: true },
    'tcp-segmentation-offload': { on: true },
    'tx-tcp-segmentation': { on: true },
    'generic-segmentation-offload': { on: true },
    'generic-receive-offload': { on: true },
    'large-receive-offload': { on: false, changeable: false },
  },
};

/** A view of such a host, as settings get it. */
export async function viewOf(given: Given = {}): Promise<HostView> {
  const { sysctls = {}, kernel = '6.18.44', cpus = 4, root = true, environment = 'metal' } = given;
  const values: Record<string, NonNullable<TuneHostSpec['values']>[string]> = {};
  for (const [key, text] of Object.entries({ ...KERNEL_6_18, ...sysctls })) {
    if (text !== undefined) values[`/proc/sys/${key.replaceAll('.', '/')}`] = text;
  }
  const host = simTuneHost({
    name: 'box',
    host: {
      addresses: ['192.0.2.1'],
      gateway: '192.0.2.254',
      identity: { kernel, cpus, os: 'Debian GNU/Linux 13 (trixie)' },
      interfaces: given.interfaces ?? [CARD],
    },
    values: { '/sys/devices/system/cpu/online': cpus === 1 ? '0' : `0-${cpus - 1}`, ...values, ...given.values },
    ...(given.files ? { files: given.files } : {}),
    ...(given.links ? { links: given.links } : {}),
    ...(given.symlinks ? { symlinks: given.symlinks } : {}),
    ...(given.devices ? { devices: given.devices } : {}),
    ...(given.readOnlyBelow ? { readOnlyBelow: given.readOnlyBelow } : {}),
    ...(root ? {} : { user: { ownerId: 1000, groupId: 1000 } }),
  });
  const view = await createView(host.ports, { homeFolder: '/root', ...(given.named ? { interfaces: given.named } : {}) });
  return { ...view, environment: { ...view.environment, kind: environment } };
}

/** What a setting would do, with the value as a profile writes it. */
export async function plan(id: string, value: unknown, given: Given & { readonly exact?: boolean } = {}): Promise<readonly Step[]> {
  return planOn(await viewOf(given), id, value, given.exact);
}

export async function planOn(view: HostView, id: string, value: unknown, exact = false): Promise<readonly Step[]> {
  const setting = settingOf(id);
  const parsed = setting.parse(value);
  if ('problem' in parsed) assert.fail(`${id} does not take ${JSON.stringify(value)}: ${parsed.problem}`);
  return setting.plan(view, parsed.value, { exact });
}

export async function planOne(id: string, value: unknown, given: Given & { readonly exact?: boolean } = {}): Promise<Step> {
  const steps = await plan(id, value, given);
  assert.equal(steps.length, 1, `one step is expected of ${id}: ${JSON.stringify(steps)}`);
  return steps[0] as Step;
}

export function settingOf(id: string): Setting {
  const setting = findSetting(id);
  assert.ok(setting, `there is no setting ${id}`);
  return setting;
}

type Changing = Extract<Step, { verdict: 'change' }>;

/** The step must be a change. */
export function changing(step: Step | undefined): Changing {
  assert.equal(step?.verdict, 'change', JSON.stringify(step));
  return step as Changing;
}

/** The step must be left undone for this reason. @returns its words */
export function leftFor(step: Step | undefined, reason: string): string {
  assert.equal(step?.verdict === 'not-done' ? step.reason : step?.verdict, reason, JSON.stringify(step));
  return step?.why ?? '';
}
