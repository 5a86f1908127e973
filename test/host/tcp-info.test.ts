import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeDarwinTcpInfo, decodeLinuxTcpInfo } from '../../src/host/streams/tcp-info.js';

/** A struct tcp_info with what include/uapi/linux/tcp.h puts at these offsets (verified against `ss -i` on Linux 6.18). */
function linux(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const data = new DataView(bytes.buffer);
  const u32 = (at: number, value: number): void => void (at + 4 <= length && data.setUint32(at, value, true));
  const u64 = (at: number, value: bigint): void => void (at + 8 <= length && data.setBigUint64(at, value, true));
  u32(16, 1448); // tcpi_snd_mss
  u32(68, 20_150); // tcpi_rtt, us
  u32(72, 1_250); // tcpi_rttvar, us
  u32(80, 37); // tcpi_snd_cwnd
  u32(100, 5); // tcpi_total_retrans
  u64(104, 2_000_000n); // tcpi_pacing_rate, bytes/s
  u32(148, 19_900); // tcpi_min_rtt, us
  u64(160, 1_250_000n); // tcpi_delivery_rate, bytes/s
  u64(168, 900_000n); // tcpi_busy_time, us
  u64(176, 1_000n); // tcpi_rwnd_limited
  u64(184, 2_000n); // tcpi_sndbuf_limited
  return bytes;
}

describe('tcp_info', () => {
  it("reads a current kernel's struct", () => {
    assert.deepEqual(decodeLinuxTcpInfo(linux(248)), {
      retransmits: 5,
      cwndSegments: 37,
      mssBytes: 1448,
      rttMs: 20.15,
      rttVarMs: 1.25,
      minRttMs: 19.9,
      deliveryRateBps: 10e6,
      pacingRateBps: 16e6,
      busyMs: 900,
      receiverLimitedMs: 1,
      senderLimitedMs: 2,
    });
  });

  it('leaves out what an older kernel does not have', () => {
    const info = decodeLinuxTcpInfo(linux(104));
    assert.deepEqual(info, { retransmits: 5, cwndSegments: 37, mssBytes: 1448, rttMs: 20.15, rttVarMs: 1.25 });
    assert.equal(decodeLinuxTcpInfo(linux(103)), undefined);
  });

  it('leaves out what the kernel marks as never measured or unlimited', () => {
    const bytes = linux(248);
    const data = new DataView(bytes.buffer);
    data.setUint32(148, 0xffff_ffff, true);
    data.setBigUint64(104, 0xffff_ffff_ffff_ffffn, true);
    data.setBigUint64(160, 0n, true);
    const info = decodeLinuxTcpInfo(bytes);
    assert.ok(info && !('minRttMs' in info) && !('pacingRateBps' in info) && !('deliveryRateBps' in info));
  });

  it("reads macOS's struct, whose window is in bytes", () => {
    const bytes = new Uint8Array(112);
    const data = new DataView(bytes.buffer);
    data.setUint32(16, 1400, true);
    data.setUint32(24, 14_000, true);
    data.setUint32(44, 20, true);
    data.setUint32(48, 3, true);
    data.setBigUint64(104, 9n, true);
    assert.deepEqual(decodeDarwinTcpInfo(bytes), { retransmits: 9, mssBytes: 1400, cwndSegments: 10, rttMs: 20, rttVarMs: 3 });
  });

  it('never throws, whatever the bytes and their length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeLinuxTcpInfo(bytes);
        decodeDarwinTcpInfo(bytes);
      }),
    );
  });
});
