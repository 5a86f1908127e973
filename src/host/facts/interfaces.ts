import { networkInterfaces } from 'node:os';
import type { NetworkInterface } from '../../base/index.js';

/** What node:os tells of an interface on every platform; it lists only interfaces that have an address. */
export function addressedInterfaces(): NetworkInterface[] {
  return Object.entries(networkInterfaces()).map(([name, entries = []]) => ({
    name,
    addresses: entries.map((entry) => ({
      address: entry.address,
      family: entry.family === 'IPv6' ? (6 as const) : (4 as const),
      prefix: prefixOf(entry.cidr),
      scope: scopeOf(entry.address, entry.internal),
    })),
    ...(entries[0] && entries[0].mac !== '00:00:00:00:00:00' ? { mac: entries[0].mac } : {}),
    up: true,
    loopback: entries.some((entry) => entry.internal),
  }));
}

/** Link-local is 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291). */
export function scopeOf(address: string, internal: boolean): 'host' | 'link' | 'global' {
  if (internal) return 'host';
  return /^169\.254\.|^fe[89ab]/i.test(address) ? 'link' : 'global';
}

function prefixOf(cidr: string | null): number {
  return cidr === null ? 0 : Number(cidr.split('/')[1]);
}
