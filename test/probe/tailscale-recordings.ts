import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SimNetwork } from '../../src/sim/index.js';
import type { HostSpec, Scenario } from '../../src/sim/index.js';
import { ROOT } from '../lab/tautline.js';

/** One of test/probe/recorded/tailscale; see the README there for what it was written after. */
export function recorded(name: string): string {
  return readFileSync(join(ROOT, 'test', 'probe', 'recorded', 'tailscale', name), 'utf8');
}

export const SOCKET = '/var/run/tailscale/tailscaled.sock';

type WebSpec = Extract<NonNullable<HostSpec['services']>[number], { kind: 'web' }>;

/** The client's socket with its answers by path below `/localapi/v0/`. */
export function daemon(answers: Readonly<Record<string, string>>, rest: Partial<WebSpec> = {}): WebSpec {
  const routes = Object.fromEntries(Object.entries(answers).map(([path, body]) => [`/localapi/v0/${path}`, { body }]));
  return { kind: 'web', socketPath: SOCKET, routes, ...rest };
}

/** A host of a tailnet: its underlay address, its address in the tailnet on an interface with MTU 1280, and what is given. */
export function tailnetHost(spec: Partial<HostSpec> = {}): HostSpec {
  return {
    addresses: ['192.0.2.10', '100.64.0.1'],
    interfaces: [
      { name: 'eth0', addresses: ['192.0.2.10/24'] },
      { name: 'tailscale0', addresses: ['100.64.0.1/32'], mtu: 1280 },
    ],
    timing: { sendLatenessUs: 0, readDelayUs: 0, answerUs: 0, datagramUs: 0.001 },
    ...spec,
  };
}

/** This host, and the peer beta of the recordings, 10 ms away in the tailnet and on the underlay. */
export function tailnet(spec: Partial<HostSpec> = {}, paths?: Scenario['paths']): SimNetwork {
  const timing = { sendLatenessUs: 0, readDelayUs: 0, answerUs: 0, datagramUs: 0.001 };
  return new SimNetwork({
    hosts: { alpha: tailnetHost(spec), beta: { addresses: ['192.0.2.20', '100.64.0.2'], timing } },
    paths: paths ?? [{ from: 'alpha', to: 'beta', delayMs: 5, mtu: 1280 }],
  });
}
