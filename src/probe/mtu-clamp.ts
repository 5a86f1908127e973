import type { RouteFacts } from '../base/index.js';
import type { MtuDetails } from '../results/index.js';

export interface ClampQuestion {
  readonly direction: 'up' | 'down';
  readonly mtuBytes: number;
  readonly family: 4 | 6;
  readonly remoteHost: string;
  readonly blackHole: boolean;
  /** A router names an MTU that does not pass. */
  readonly wrongMtuBytes: number | undefined;
  readonly interfaceName: string | undefined;
  readonly route: RouteFacts | undefined;
  /** What TCP puts into one segment on this path now. */
  readonly tcpMssBytes: number | undefined;
  readonly os: string;
}

/** TCP's and IP's headers without options (RFC 879, RFC 6691). */
export function mssOf(mtuBytes: number, family: 4 | 6): number {
  return mtuBytes - (family === 4 ? 40 : 60);
}

/** TCP's timestamps take this much of every segment, and tcp_info's MSS is what is left (RFC 7323, appendix A). */
const TIMESTAMPS_BYTES = 12;

/**
 * What to set where TCP would otherwise stall: its large segments vanish and nobody tells the sender. Where routers say
 * "too big" truthfully, path MTU discovery does by itself what a clamp would do, and where TCP's segments fit already,
 * somebody has clamped them: then undefined.
 */
export function clampAdvice(question: ClampQuestion): MtuDetails['clamp'] {
  const { direction, mtuBytes, family, blackHole, wrongMtuBytes, tcpMssBytes } = question;
  if (!blackHole && wrongMtuBytes === undefined) return undefined;
  const mssBytes = mssOf(mtuBytes, family);
  if (tcpMssBytes !== undefined && tcpMssBytes + TIMESTAMPS_BYTES <= mssBytes) return undefined;
  const trouble = blackHole
    ? `packets above ${mtuBytes} bytes vanish on the way ${direction} and no ICMP "too big" comes back`
    : `a router names an MTU of ${wrongMtuBytes} bytes that does not pass`;
  const heals =
    direction === 'up' ? 'this host then sends no larger ones' : 'this host then asks its peers, in every TCP handshake, for no larger ones';
  return {
    mssBytes,
    command: localCommand(question),
    why: `${trouble}: TCP connections open and then stall. ${heals}`,
    others: [
      {
        where: 'on a router in between, for all that pass it (`rt mtu` instead of the number where its own route has the small MTU)',
        command: `nft add rule inet filter forward tcp flags syn tcp option maxseg size set ${mssBytes}`,
      },
      ...(!isMac(question.os)
        ? [{ where: 'on the sending host, so that TCP finds out by itself (RFC 4821)', command: 'sysctl -w net.ipv4.tcp_mtu_probing=1' }]
        : []),
    ],
  };
}

function isMac(os: string): boolean {
  return /darwin|macos/i.test(os);
}

/** For the one destination where the route is known, else for the interface. */
function localCommand({ mtuBytes, family, remoteHost, route, interfaceName, os }: ClampQuestion): string {
  const name = route?.interfaceName ?? interfaceName ?? 'eth0';
  if (isMac(os)) return `sudo ifconfig ${name} mtu ${mtuBytes}`;
  if (!route) return `ip link set dev ${name} mtu ${mtuBytes}`;
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  return `ip${family === 6 ? ' -6' : ''} route replace ${remoteHost}/${family === 4 ? 32 : 128}${via} dev ${name} mtu ${mtuBytes} advmss ${mssOf(mtuBytes, family)}`;
}
