import type { Measurement } from '../../results/index.js';
import { dockerLayer } from './docker.js';
import type { Layer } from './layer.js';
import { linkLayer } from './link.js';
import { mtuLayer } from './mtu.js';
import { sshLayer } from './ssh.js';
import { tailscaleLayer } from './tailscale.js';
import { traceLayer } from './trace.js';

/** The layers that measurements of one group tell of, from the wire upwards. */
export function layersOf(measurements: readonly Measurement[]): Layer[] {
  const by = (probe: string): Measurement[] => measurements.filter((measurement) => measurement.probe === probe);
  const together = (probe: string, key: (measurement: Measurement) => string): Measurement[][] => grouped(by(probe), key);
  const containers = by('docker');
  return [
    ...together('mtu', ({ path, target }) => `${path} ${target}`).map(mtuLayer),
    ...by('trace').map(traceLayer),
    ...by('link').map(linkLayer),
    ...together('tailscale', ({ path }) => path).map(tailscaleLayer),
    ...together('ssh', ({ path }) => path).map(sshLayer),
    ...containers
      .filter(({ metric }) => metric === 'docker.api')
      .map((api, i, engines) => dockerLayer(api, servicesOf(containers, api, engines[i + 1]))),
  ].filter((layer) => layer !== undefined);
}

/** The services of an engine follow it, before the next engine. */
function servicesOf(all: readonly Measurement[], api: Measurement, next: Measurement | undefined): Measurement[] {
  return all.slice(all.indexOf(api) + 1, next === undefined ? all.length : all.indexOf(next));
}

function grouped(measurements: readonly Measurement[], key: (measurement: Measurement) => string): Measurement[][] {
  const groups = new Map<string, Measurement[]>();
  for (const measurement of measurements) groups.set(key(measurement), [...(groups.get(key(measurement)) ?? []), measurement]);
  return [...groups.values()];
}
