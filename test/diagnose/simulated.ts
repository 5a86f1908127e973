import type { HostAbout } from '../../src/base/index.js';
import { check } from '../../src/app/check.js';
import type { Depth } from '../../src/app/config-schema.js';
import { resolveBands } from '../../src/diagnose/index.js';
import type { Evidence } from '../../src/diagnose/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { serveOn } from '../app/sim-serve.js';

/** One simulated path between two hosts, and what both would say of themselves. */
export interface SimulatedPath {
  readonly kind: string;
  /** Both ways, unless `back` says otherwise. */
  readonly path: Omit<Scenario['paths'][number], 'from' | 'to'>;
  readonly near?: Partial<HostAbout>;
  readonly far?: Partial<HostAbout>;
  readonly server?: Partial<Scenario['hosts'][string]>;
}

export const LINUX: HostAbout = {
  name: 'alpha',
  os: 'linux',
  kernel: '6.1.0',
  cpus: 8,
  tcp: {
    receiveBytes: [4096, 131_072, 6_291_456],
    sendBytes: [4096, 16_384, 4_194_304],
    congestion: 'cubic',
    windowScaling: true,
    timestamps: true,
    sack: true,
    windowShare: 1,
  },
};

/** Runs a whole check against a simulated `tautline serve` in virtual time, and hands over what diagnosis would be given. */
export async function evidenceOf(simulated: SimulatedPath, options: { seed: number; depth: Depth }): Promise<Evidence> {
  const address = '10.0.0.2';
  const network = new SimNetwork({
    seed: options.seed,
    hosts: { alpha: { addresses: ['10.0.0.1'] }, beta: { addresses: [address], ...simulated.server } },
    paths: [{ from: 'alpha', to: 'beta', ...simulated.path }],
  });
  serveOn(network.host('beta'), { port: 7227 });
  const document = await network.run(() =>
    check(network.ports('alpha'), {
      target: address,
      depth: options.depth,
      peers: [],
      bands: resolveBands({}),
      seed: options.seed,
      signal: new AbortController().signal,
      progress: { planned: () => undefined, update: () => undefined },
      startSelf: () => Promise.reject(new Error('not needed')),
    }),
  );
  const measurements = document.subjects.filter(({ role }) => role === 'target').flatMap((subject) => subject.measurements);
  return {
    paths: [
      {
        peer: 'beta',
        path: 'default',
        kind: simulated.kind,
        address,
        measurements,
        near: { ...LINUX, ...simulated.near },
        far: { ...LINUX, name: 'beta', ...simulated.far },
      },
    ],
    host: [],
  };
}
