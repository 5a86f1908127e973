import type { HostAbout, LinkFacts } from '../../../src/base/index.js';
import { WORKLOAD_KINDS } from '../../../src/diagnose/index.js';
import type { DeclaredWorkload } from '../../../src/diagnose/index.js';

export const MODES_10G = ['100baseT/Full', '1000baseT/Full', '2500baseT/Full', '5000baseT/Full', '10000baseT/Full'];
export const MODES_1G = ['100baseT/Full', '1000baseT/Full'];

/** A host with a 10 Gbit/s adapter whose link came up at 1 Gbit/s; what the partner offers is not known. */
export function host(name: string, link: Partial<LinkFacts> = {}, about: Partial<HostAbout> = {}): HostAbout {
  return {
    name,
    os: 'Debian GNU/Linux 12',
    kernel: '6.1',
    cpus: 8,
    link: {
      name: 'eth0',
      kind: 'ethernet',
      up: true,
      speedBps: 1e9,
      supportedBpsMax: 10e9,
      supported: MODES_10G,
      advertised: MODES_10G,
      autonegotiation: true,
      ...link,
    },
    ...about,
  };
}

export function declared(id: string, values: Readonly<Record<string, number>> = {}): DeclaredWorkload {
  const kind = WORKLOAD_KINDS.find((candidate) => candidate.id === id);
  if (!kind) throw new Error(`no workload ${id}`);
  const defaults = Object.entries(kind.keys).flatMap(([key, { default: standard }]) => (standard === undefined ? [] : [[key, standard] as const]));
  return { kind, values: { ...Object.fromEntries(defaults), ...values }, defaulted: defaults.map(([key]) => key).filter((key) => !(key in values)) };
}
