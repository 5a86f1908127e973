import type { HostIdentity } from '../../src/base/index.js';
import { SimFiles } from '../../src/sim/index.js';
import type { TunePorts } from '../../src/tune/index.js';

/** A host of which only files, kernel values and who it is are given: what reading environments and other owners looks at. */
export function givenHost(spec: {
  readonly files?: Readonly<Record<string, string>>;
  readonly kernel?: Readonly<Record<string, string>>;
  readonly identity?: Partial<HostIdentity>;
}): { ports: TunePorts; files: SimFiles } {
  const files = new SimFiles(spec.files);
  const identity: HostIdentity = {
    name: 'host',
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-28-amd64',
    arch: 'x64',
    cpus: 4,
    cpuModel: 'AMD EPYC Processor',
    memoryBytes: 7.6 * 2 ** 30,
    node: '20.19.0',
    root: true,
    ...spec.identity,
  };
  const ports = {
    files,
    facts: { identity: () => Promise.resolve(identity) },
    control: { readValue: (path: string) => Promise.resolve(spec.kernel?.[path]) },
  };
  return { ports: ports as unknown as TunePorts, files };
}

/** Firmware as /sys/class/dmi/id has it. */
export function dmi(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [`/sys/class/dmi/id/${name}`, text]));
}
