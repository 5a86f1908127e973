import type { TcpInfo } from '../../base/index.js';

/** Room for any kernel's `struct tcp_info` so far (248 bytes in Linux 6.18). */
export const TCP_INFO_BYTES = 512;

/**
 * Reads Linux's `struct tcp_info` (include/uapi/linux/tcp.h), native byte order. The struct only ever
 * grew at its end, so a field exists exactly if the length that the kernel returned covers it.
 * @returns undefined when even the oldest part is missing
 */
export function decodeLinuxTcpInfo(bytes: Uint8Array): TcpInfo | undefined {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.byteLength < 104) return undefined;
  const u32 = (offset: number): number => data.getUint32(offset, LITTLE);
  const u64 = (offset: number): number | undefined => (data.byteLength >= offset + 8 ? Number(data.getBigUint64(offset, LITTLE)) : undefined);
  const minRttUs = data.byteLength >= 152 ? u32(148) : NO_MIN_RTT;
  const pacing = u64(104);
  const delivery = u64(160);
  return {
    retransmits: u32(100),
    cwndSegments: u32(80),
    mssBytes: u32(16),
    rttMs: u32(68) / 1000,
    rttVarMs: u32(72) / 1000,
    // The kernel says "never measured" and "no limit" with all bits set.
    ...(minRttUs === NO_MIN_RTT ? {} : { minRttMs: minRttUs / 1000 }),
    ...(delivery === undefined || delivery === 0 ? {} : { deliveryRateBps: delivery * 8 }),
    ...(pacing === undefined || pacing >= NO_PACING ? {} : { pacingRateBps: pacing * 8 }),
    ...inMs('busyMs', u64(168)),
    ...inMs('receiverLimitedMs', u64(176)),
    ...inMs('senderLimitedMs', u64(184)),
  };
}

/**
 * Reads macOS's `struct tcp_connection_info` (bsd/netinet/tcp.h). Its window is in bytes, its times
 * are whole milliseconds.
 */
export function decodeDarwinTcpInfo(bytes: Uint8Array): TcpInfo | undefined {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.byteLength < 112) return undefined;
  const mss = data.getUint32(16, LITTLE);
  return {
    retransmits: Number(data.getBigUint64(104, LITTLE)),
    ...(mss === 0 ? {} : { mssBytes: mss, cwndSegments: Math.round(data.getUint32(24, LITTLE) / mss) }),
    rttMs: data.getUint32(44, LITTLE),
    rttVarMs: data.getUint32(48, LITTLE),
  };
}

const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const NO_MIN_RTT = 0xffff_ffff;
const NO_PACING = 2 ** 63;

function inMs<K extends string>(name: K, us: number | undefined): { readonly [P in K]?: number } {
  return us === undefined ? {} : ({ [name]: us / 1000 } as { readonly [P in K]?: number });
}
