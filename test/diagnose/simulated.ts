import type { HostAbout, Target } from '../../src/base/index.js';
import type { Evidence } from '../../src/diagnose/index.js';
import { PROBES } from '../../src/probe/index.js';
import type { Measurement } from '../../src/results/index.js';
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

const ADDRESS = '10.0.0.2';
const PORT = 7227;

/** How much is measured: about what a quick and a default check take. */
const AMOUNTS = {
  quick: { echoes: 160, connects: 8, requests: 4, throughputMs: 1000, omitMs: 200 },
  default: { echoes: 400, connects: 15, requests: 6, throughputMs: 2500, omitMs: 500 },
} as const;

/** Runs the probes against a simulated `tautline serve` in virtual time, and hands over what diagnosis would be given. */
export async function evidenceOf(simulated: SimulatedPath, options: { seed: number; amount: keyof typeof AMOUNTS; mtu: boolean }): Promise<Evidence> {
  const amount = AMOUNTS[options.amount];
  const network = new SimNetwork({
    seed: options.seed,
    hosts: { alpha: { addresses: ['10.0.0.1'] }, beta: { addresses: [ADDRESS], ...simulated.server } },
    paths: [{ from: 'alpha', to: 'beta', ...simulated.path }],
  });
  serveOn(network.host('beta'), { port: PORT });
  const ports = network.ports('alpha');
  const target: Target = { text: `${ADDRESS}:${PORT}`, host: ADDRESS, port: PORT };
  const web: Target = { ...target, text: `http://${ADDRESS}:${PORT}/small`, url: `http://${ADDRESS}:${PORT}/small` };
  const load = { streams: 1, durationMs: amount.throughputMs, omitMs: amount.omitMs };
  const steps: readonly (readonly [probe: string, at: Target, options: Record<string, unknown>])[] = [
    ['ping', target, { count: 40, intervalMs: 20 }],
    ['echo', target, { count: amount.echoes, intervalMs: 5 }],
    ['tcp', target, { count: amount.connects, intervalMs: 50 }],
    ['http', web, { count: amount.requests, intervalMs: 50 }],
    ['throughput', target, { ...load, direction: 'down' }],
    ['throughput', target, { ...load, direction: 'up' }],
    ...(options.mtu ? [['mtu', target, {}] as const] : []),
  ];
  const measurements = await network.run(async () => {
    const taken: Measurement[] = [];
    for (const [name, at, own] of steps) {
      const probe = PROBES.find((each) => each.name === name);
      if (!probe) throw new Error(`there is no probe ${name}`);
      const request = { target: at, path: 'default', options: { ...probe.defaults, ...own }, ports, seed: options.seed };
      taken.push(...(await probe.run({ ...request, signal: new AbortController().signal, onProgress: () => undefined })));
    }
    return taken;
  });
  return {
    paths: [
      {
        peer: 'beta',
        path: 'default',
        kind: simulated.kind,
        address: ADDRESS,
        measurements,
        near: { ...LINUX, ...simulated.near },
        far: { ...LINUX, name: 'beta', ...simulated.far },
      },
    ],
    host: [],
  };
}
