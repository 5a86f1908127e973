import { loadLibc, memory } from '../../src/host/libc/index.js';
import { internetChecksum } from '../../src/wire/index.js';

/*
 * A program for a namespace of its own: says that the time of every datagram to 127.0.0.1 and a port is exceeded, and
 * quotes no more of it than RFC 792 asks for: the IP header and 8 bytes, which are the UDP header alone.
 *
 *     node terse-router.js 40000
 */
export const TERSE_READY = 'terse router ready';

const IP_HEADER_BYTES = 20;

function main(port: number): void {
  const libc = loadLibc();
  if (!libc) throw new Error('the terse router needs libc');
  const c = libc.constants;
  const udp = libc.socket(c.AF_INET, c.SOCK_RAW, c.IPPROTO_UDP);
  const icmp = libc.socket(c.AF_INET, c.SOCK_RAW, c.IPPROTO_ICMP);
  if (udp < 0 || icmp < 0) throw new Error(`raw sockets: ${libc.errnoName(libc.errno())}`);
  process.stdout.write(`${TERSE_READY}\n`);
  const bytes = memory(65_536);
  for (;;) {
    const length = libc.recv(udp, bytes, bytes.length, 0);
    if (length < IP_HEADER_BYTES + 8 || ((bytes[IP_HEADER_BYTES + 2] ?? 0) << 8) + (bytes[IP_HEADER_BYTES + 3] ?? 0) !== port) continue;
    const message = memory(8 + IP_HEADER_BYTES + 8);
    message[0] = 11;
    message.set(bytes.subarray(0, IP_HEADER_BYTES + 8), 8);
    const sum = internetChecksum(message);
    message[2] = sum >>> 8;
    message[3] = sum & 0xff;
    const to = memory(16);
    to.set([c.AF_INET, 0, 0, 0, 127, 0, 0, 1]);
    libc.sendto(icmp, message, message.length, 0, to, to.length);
  }
}

const [, script = '', port] = process.argv;
if (port !== undefined && script.endsWith('terse-router.js')) main(Number(port));
