import { isIP } from 'node:net';

/** The name servers of a resolv.conf(5), without repeats, in its order. */
export function parseResolvConf(text: string): string[] {
  const servers = text.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    return address !== undefined && isIP(address.replace(/%.*$/, '')) !== 0 ? [address] : [];
  });
  return [...new Set(servers)];
}
