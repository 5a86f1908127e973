/** What the system's `ping` printed. */
export interface PingOutput {
  /** In order of arrival, copies included. */
  readonly replies: readonly { readonly sequence: number; readonly rttMs: number; readonly copy: boolean }[];
  /** From the closing statistics; undefined where ping did not get that far. */
  readonly transmitted: number | undefined;
  readonly received: number | undefined;
  /** Answers other than echo replies (`Destination Host Unreachable`), each text with how often. */
  readonly complaints: Readonly<Record<string, number>>;
  /** The coarsest step of the printed times: 1 ms for `123 ms`, 0.001 ms for `0.045 ms`. */
  readonly resolutionMs: number | undefined;
}

export interface PingCommand {
  readonly host: string;
  readonly family: 4 | 6;
  readonly count: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly sizeBytes: number;
}

/**
 * The command line for this system. Linux' ping (iputils, busybox) waits in seconds, that of macOS in
 * milliseconds, and macOS has a program of its own for IPv6.
 */
export function pingCommand(os: string, command: PingCommand): { readonly program: string; readonly args: readonly string[] } {
  const seconds = String(Number((command.intervalMs / 1000).toFixed(3)));
  const common = ['-n', '-c', String(command.count), '-i', seconds, '-s', String(command.sizeBytes)];
  if (/darwin|macos/i.test(os)) {
    if (command.family === 6) return { program: 'ping6', args: [...common, command.host] };
    return { program: 'ping', args: [...common, '-W', String(Math.round(command.timeoutMs)), command.host] };
  }
  const family = command.family === 6 ? '-6' : '-4';
  return { program: 'ping', args: [family, ...common, '-W', String(Math.max(1, Math.ceil(command.timeoutMs / 1000))), command.host] };
}

/**
 * Reads the output of iputils, busybox, inetutils and macOS, line by line:
 *
 *     64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.057 ms           iputils, macOS; `(DUP!)` may follow
 *     64 bytes from 10.0.0.1: seq=0 ttl=64 time=0.043 ms                busybox
 *     16 bytes from ::1, icmp_seq=0 hlim=64 time=0.080 ms               macOS ping6
 *     From 10.0.0.2 icmp_seq=1 Destination Host Unreachable             iputils
 *     92 bytes from 10.0.0.2: Destination Host Unreachable              macOS
 *     3 packets transmitted, 3 received, 0% packet loss, time 408ms     all, in variations
 */
export function parsePing(stdout: string): PingOutput {
  const replies: { sequence: number; rttMs: number; copy: boolean }[] = [];
  const complaints: Record<string, number> = {};
  const seen = new Set<number>();
  let transmitted: number | undefined;
  let received: number | undefined;
  let resolutionMs: number | undefined;
  for (const line of stdout.split('\n')) {
    const reply = /^\d+ bytes from .*\b(?:icmp_)?seq=(\d+)\b.*\btime[=<](\d+(?:\.(\d+))?) ?ms/.exec(line);
    if (reply) {
      const sequence = Number(reply[1]);
      replies.push({ sequence, rttMs: Number(reply[2]), copy: seen.has(sequence) || line.includes('DUP!') });
      seen.add(sequence);
      resolutionMs = Math.max(resolutionMs ?? 0, 10 ** -(reply[3]?.length ?? 0));
      continue;
    }
    const complaint = /^(?:From \S+(?: \([^)]*\))?:? icmp_seq=\d+ |\d+ bytes from [^ ]+(?: \([^)]*\))?: )(\D.*)$/.exec(line)?.[1]?.trim();
    if (complaint !== undefined) complaints[complaint] = (complaints[complaint] ?? 0) + 1;
    const totals = /^(\d+) packets transmitted, (\d+)(?: packets)? received/.exec(line);
    if (totals) {
      transmitted = Number(totals[1]);
      received = Number(totals[2]);
    }
  }
  return { replies, transmitted, received, complaints, resolutionMs };
}
