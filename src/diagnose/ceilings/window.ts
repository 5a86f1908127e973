import { formatBytes, formatMs, formatRate } from '../../base/index.js';
import type { HostAbout, TcpSettings } from '../../base/index.js';
import type { Limit } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { baseRttMs, endsOf } from '../path-figures.js';
import type { Direction } from '../path-figures.js';

/** The largest window that a connection without RFC 7323's scaling can have. */
const UNSCALED_BYTES = 65_535;

/** TCP has at most a window of bytes on the way, so it cannot be faster than window / round trip. */
export function windows(evidence: PathEvidence, direction: Direction): Limit[] {
  const rttMs = baseRttMs(evidence);
  if (rttMs === undefined) return [];
  const { sender, receiver } = endsOf(evidence, direction);
  const limits: Limit[] = [];
  const add = (id: string, bytes: number | undefined, what: string): void => {
    if (bytes === undefined || !(bytes > 0)) return;
    const bps = (bytes * 8000) / rttMs;
    limits.push({
      id,
      kind: 'configured',
      direction,
      bps,
      why: `${what}: ${formatBytes(Math.round(bytes))} in ${formatMs(rttMs)} make ${formatRate(bps)}`,
    });
  };
  const window = receiver?.tcp && receiveWindow(receiver.tcp, receiver);
  if (window)
    add(
      'receive-window',
      window.bytes,
      `${whose(receiver, evidence)} tcp_rmem allows ${formatBytes(window.bufferBytes)} of receive buffer, ${window.share} of it for the window`,
    );
  const buffer = sender?.tcp?.sendBytes?.[2];
  if (buffer !== undefined) add('send-buffer', buffer, `${whose(sender, evidence)} tcp_wmem allows ${formatBytes(buffer)} of send buffer`);
  const unscaled = [sender, receiver].find((end) => end?.tcp?.windowScaling === false);
  if (unscaled) add('window-scaling', UNSCALED_BYTES, `window scaling is off at ${unscaled === evidence.near ? 'this host' : 'the peer'}`);
  return limits;
}

/**
 * The largest window that a receive buffer gives. Until Linux 6.5 net.ipv4.tcp_adv_win_scale sets the share (1: half;
 * `tcp_win_from_space` in include/net/tcp.h). From 6.6 on it is what payload takes of the memory of the packets that
 * come in (`scaling_ratio`, commit dfa2f0483360): from about half for packets of a slow card to nearly all
 * for those that were joined, so only the whole buffer is a bound.
 */
export function receiveWindow(tcp: TcpSettings, host: Pick<HostAbout, 'kernel' | 'os'>) {
  const bufferBytes = tcp.receiveBytes?.[2];
  if (bufferBytes === undefined) return undefined;
  const fixed = /^linux/i.test(host.os) && olderThan(host.kernel, 6, 6);
  const scale = tcp.windowShare;
  if (!fixed || scale === undefined) return { bytes: bufferBytes, bufferBytes, share: 'at most all' };
  const share = scale > 0 ? 1 - 2 ** -scale : 2 ** scale;
  return { bytes: bufferBytes * share, bufferBytes, share: `${Math.round(100 * share)} % (tcp_adv_win_scale ${scale})` };
}

function olderThan(kernel: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(kernel);
  if (!match) return false;
  const [theirs, minors] = [Number(match[1]), Number(match[2])];
  return theirs < major || (theirs === major && minors < minor);
}

function whose(end: HostAbout | undefined, { near }: PathEvidence): string {
  return end === near ? "this host's" : "the peer's";
}
