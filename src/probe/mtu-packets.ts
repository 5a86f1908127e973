import type { Clock, Endpoint, PacketLog, PacketOutcome, Packets, TooBig } from '../base/index.js';
import { ECHO_BYTES_MIN } from '../wire/index.js';
import { CHANCE, Pace, headersBytes } from './mtu-channel.js';
import type { Fate, RoundLog, SizeChannel } from './mtu-channel.js';

/** An IPv4 packet cannot be longer; an IPv6 one without a jumbogram's header is as long and has its header besides. */
const PACKET_BYTES_MAX = { 4: 65_535, 6: 65_575 } as const;
/** Linux answers closed ports six times at once and then once a second (net/ipv4/icmp.c, icmpv4_xrlim_allow). */
const UDP_BURST = 6;
const UDP_INTERVAL_MS = 1050;
/** At one answer a second, being as sure as elsewhere would take minutes. */
const CHANCE_RATIONED = 1e-3;

type Problem = Extract<PacketOutcome, { outcome: 'error' }>;

/**
 * The way to a host that runs nothing of ours: ICMP echoes that may not be fragmented, or UDP to a port that nobody
 * listens on. The answers may come back in pieces, so they say nothing about the way back.
 */
export class PacketsChannel implements SizeChannel {
  readonly controlBytes: number;
  readonly sizeBytesMax: number;
  readonly protocol: 'icmp' | 'udp';
  /** Set once answers turn out to be rationed: then each packet has to be worth it. */
  rationed = false;
  believedBytes: number | undefined;
  readonly #packets: Packets;
  readonly #clock: Clock;
  readonly #remote: Endpoint;
  readonly #signal: AbortSignal;
  readonly #pace: Pace;
  #problem: Problem | undefined;
  #unsentErrno: string | undefined;
  #answered = false;
  /** When the last packet left, at the earliest. */
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(
    ports: { readonly packets: Packets; readonly clock: Clock },
    options: { protocol: 'icmp' | 'udp'; remote: Endpoint; timeoutMs: number; signal: AbortSignal },
  ) {
    this.#packets = ports.packets;
    this.#clock = ports.clock;
    this.protocol = options.protocol;
    this.#remote = options.protocol === 'icmp' ? { ...options.remote, port: 0 } : options.remote;
    this.#signal = options.signal;
    this.#pace = new Pace(options.timeoutMs);
    const { family } = options.remote;
    this.controlBytes = headersBytes(family) + ECHO_BYTES_MIN;
    this.sizeBytesMax = PACKET_BYTES_MAX[family];
  }

  get sizesAtOnce(): number {
    return this.rationed ? 1 : 12;
  }

  get copies(): number {
    return this.rationed ? 1 : 2;
  }

  get chance(): number {
    return this.rationed ? CHANCE_RATIONED : CHANCE;
  }

  /** Why nothing was answered, as far as anybody said so. */
  get complaint(): string | undefined {
    const { what, from } = this.#problem ?? {};
    if (what !== undefined) return `${from} says ${what === 'ttl-exceeded' ? 'that the time to live ran out' : `that it is ${what}`}`;
    return this.#unsentErrno === undefined ? undefined : `this host's kernel refused to send (${this.#unsentErrno})`;
  }

  async send(sizes: readonly number[]): Promise<RoundLog> {
    // The pause that a ration asks for is due between two rounds too.
    if (this.rationed) await this.#clock.sleep(Math.max(0, this.#lastMs + UDP_INTERVAL_MS - this.#clock.nowMs()), this.#signal);
    const log = await this.#probe(sizes);
    this.#lastMs = this.#clock.nowMs();
    const fates: Fate[] = [];
    const tooBig: TooBig[] = [];
    for (const outcome of log.outcomes) {
      if (outcome.outcome === 'unasked') break;
      if (outcome.outcome === 'reply') this.#learn(outcome.rttMs);
      if (outcome.outcome === 'error' && outcome.what === 'too-big')
        tooBig.push({ from: outcome.from, ...(outcome.mtuBytes === undefined ? {} : { mtuBytes: outcome.mtuBytes }) });
      else if (outcome.outcome === 'error') this.#problem = outcome;
      if (outcome.outcome === 'unsent' && outcome.errno !== 'EMSGSIZE') this.#unsentErrno = outcome.errno;
      fates.push(fateOf(outcome));
    }
    this.#noticeRation(sizes, fates);
    this.believedBytes = log.kernelMtuBytes ?? this.believedBytes;
    return { fates, tooBig };
  }

  #probe(sizes: readonly number[]): Promise<PacketLog> {
    const bytes = Math.max(...sizes.filter((size) => size <= 9216), this.controlBytes);
    return this.#packets.probe({
      protocol: this.protocol,
      remote: this.#remote,
      packets: sizes.map((sizeBytes) => ({ sizeBytes, dontFragment: true, flow: 0 })),
      intervalMs: this.rationed ? UDP_INTERVAL_MS : Math.max(1, this.#pace.gapMs(bytes)),
      timeoutMs: this.#pace.waitMs,
      signal: this.#signal,
    });
  }

  #learn(rttMs: number): void {
    this.#answered = true;
    this.#pace.learn(rttMs);
  }

  /** The first answers come and then none: not the sizes, but a limit on how many are given. */
  #noticeRation(sizes: readonly number[], fates: readonly Fate[]): void {
    if (this.protocol !== 'udp' || this.rationed || !this.#answered) return;
    const controls = fates.filter((_, i) => sizes[i] === this.controlBytes);
    const failed = controls.filter((fate) => fate === 'silent').length;
    this.rationed = controls.length > 0 && failed > controls.length / 3 && fates.filter((fate) => fate === 'passed').length <= 2 * UDP_BURST;
  }
}

function fateOf(outcome: PacketOutcome): Fate {
  if (outcome.outcome === 'reply') return 'passed';
  if (outcome.outcome === 'error') return outcome.what === 'too-big' ? 'told' : 'silent';
  return outcome.outcome === 'unsent' ? (outcome.errno === 'EMSGSIZE' ? 'refused' : 'unsent') : 'silent';
}
