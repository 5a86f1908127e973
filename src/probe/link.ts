import { formatRate, parseDurationMs } from '../base/index.js';
import type { LinkFacts, ProcessorTimes } from '../base/index.js';
import type { LinkDetails, Measurement } from '../results/index.js';
import { summarize } from '../stats/index.js';
import { candidatesOf } from './candidates.js';
import type { Candidates } from './candidates.js';
import { ratesPerSecond, softirqShares } from './link-rates.js';
import { makerOf } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';

const DURATION_MS = 1000;
/** The word that asks for every interface of this host. */
const ALL = 'all';

/**
 * What the interfaces of this host are and do: negotiated speed, duplex, what card and partner could do,
 * driver, queues, offloads, queue disciplines, and what its counters count while they are watched.
 */
export const linkProbe: Probe = {
  name: 'link',
  summary: "speed, duplex, partner, offloads, errors and drops of an interface: TARGET is its name, 'all', or a host that it leads to",
  flags: [{ key: 'durationMs', flag: '--duration <time>', help: 'how long to watch the counters (default: 1s)', parse: parseDurationMs }],
  defaults: { timeoutMs: 2000 },
  expectedMs: ({ durationMs = DURATION_MS }) => durationMs,
  run: runLink,
};

async function runLink(request: ProbeRequest<CommonOptions>): Promise<Measurement[]> {
  const make = makerOf('link', request);
  const { ports, options, signal, onProgress } = request;
  const found = await findLinks(request);
  if (found.outcome !== 'ok') return [make('link', found)];
  const { facts, clock } = ports;
  const load = await facts.processors();
  const startMs = clock.nowMs();
  const durationMs = options.durationMs ?? DURATION_MS;
  onProgress(`watching the counters of ${found.links.map(({ name }) => name).join(', ')}`, 0);
  await clock.sleep(durationMs, signal);
  const watchedMs = clock.nowMs() - startMs;
  const name = found.links.length === 1 ? found.links[0]?.name : undefined;
  const [after, loadAfter] = [await facts.links(name), await facts.processors()];
  const cut = signal.aborted ? `interrupted after ${Math.round(watchedMs)} of ${durationMs} ms; the rates are of that time` : undefined;
  return found.links.map((before) => {
    const now = after.find((link) => link.name === before.name);
    const watched = { before, now, watchedMs, load, loadAfter };
    const measurement = make('link', {
      ...verdictOf(now ?? before, { gone: now === undefined, several: found.several }),
      ...figuresOf(now ?? before),
      details: { ...detailsOf(watched) },
    });
    const named = found.several ? { ...measurement, target: before.name } : measurement;
    return cut === undefined ? named : { ...named, partial: true, reason: named.reason === undefined ? cut : `${named.reason}; ${cut}` };
  });
}

type Found = { readonly outcome: 'ok'; readonly links: readonly LinkFacts[]; readonly several: boolean } | Exclude<Candidates, { outcome: 'ok' }>;

/** A name of an interface wins over that of a host: whoever has both can write the host's address. */
async function findLinks(request: ProbeRequest<CommonOptions>): Promise<Found> {
  const { facts } = request.ports;
  const { host } = request.target;
  const links = await facts.links(host === ALL ? undefined : host);
  if (links.length > 0) return { outcome: 'ok', links, several: host === ALL };
  if (host === ALL) return { outcome: 'unsupported', reason: 'this system does not tell of its interfaces' };
  const candidates = await candidatesOf(request, { host, port: request.target.port ?? 0 });
  if (candidates.outcome !== 'ok')
    return {
      ...candidates,
      reason: `'${host}' is no interface of this host (tautline measure link all lists them), and no host: ${candidates.reason}`,
    };
  for (const { host: address } of candidates.remotes) {
    const route = await facts.routeTo(address);
    const through = route && (await facts.links(route.interfaceName));
    if (through && through.length > 0) return { outcome: 'ok', links: through, several: false };
  }
  return { outcome: 'unchecked', reason: `there is no route to ${candidates.remotes[0]?.host ?? host}, or this system does not tell its interface` };
}

/**
 * An interface that is off or without a partner carries nothing, and that is what a person wants to know first.
 * Among all interfaces many are so on purpose, and only a card without a partner is worth a word.
 */
function verdictOf(link: LinkFacts, { gone, several }: { gone: boolean; several: boolean }): Pick<Measurement, 'outcome' | 'reason'> {
  if (gone) return { outcome: 'lost', reason: `${link.name} went away while it was watched` };
  if (!link.up) {
    const reason = `${link.name} is switched off: switch it on (ip link set ${link.name} up), unless that is meant so`;
    return { outcome: several ? 'unchecked' : 'lost', reason };
  }
  if (link.carrier === false) {
    const card = link.kind === 'ethernet';
    const why = card ? 'no cable is plugged in, or the other end is off' : 'nothing is connected to it';
    return { outcome: several && !card ? 'unchecked' : 'lost', reason: `${link.name} has no carrier: ${why}` };
  }
  return { outcome: 'ok' };
}

/** The negotiated speed, and the fastest that both ends could do, as far as they told. */
function figuresOf(link: LinkFacts): Pick<Measurement, 'summary' | 'ceiling'> {
  const { speedBps, supportedBpsMax, partnerBpsMax } = link;
  const summary = speedBps === undefined ? undefined : summarize([speedBps]);
  if (!summary) return {};
  const best = Math.min(supportedBpsMax ?? Number.POSITIVE_INFINITY, partnerBpsMax ?? Number.POSITIVE_INFINITY);
  const why =
    partnerBpsMax === undefined
      ? 'the fastest mode of this card; the other end did not say what it can do'
      : supportedBpsMax === undefined || partnerBpsMax < supportedBpsMax
        ? 'the fastest mode that the other end of the cable offers'
        : 'the fastest mode of this card';
  return {
    summary: { unit: 'bps', ...summary },
    // Forced speeds and odd drivers may lie above what the modes say: that is no error of measuring.
    ...(Number.isFinite(best) && best >= summary.median ? { ceiling: { value: best, unit: 'bps', why } } : {}),
  };
}

interface Watched {
  readonly before: LinkFacts;
  readonly now: LinkFacts | undefined;
  readonly watchedMs: number;
  readonly load: ProcessorTimes | undefined;
  readonly loadAfter: ProcessorTimes | undefined;
}

function detailsOf({ before, now, watchedMs, load, loadAfter }: Watched): LinkDetails {
  const link = now ?? before;
  const rates = now && ratesPerSecond(before.counters, now.counters, watchedMs);
  const softirq = load && loadAfter && softirqShares(load, loadAfter);
  return {
    inShort: inShort(link, rates ?? {}),
    link,
    ...(rates ? { ratesPerSecond: rates, watchedMs } : {}),
    ...(softirq ? { softirq } : {}),
  };
}

/** One line for a person: what it is, what it could be, and what goes wrong on it. */
function inShort(link: LinkFacts, rates: Readonly<Record<string, number>>): string {
  const { driver, type, duplex, mtu, queues, partnerBpsMax, supportedBpsMax, qdiscs } = link;
  const shaped = (qdiscs ?? []).flatMap(({ kind, rateBps }) => (rateBps === undefined ? [] : [`${kind} shapes to ${formatRate(rateBps)}`]));
  const wrong = Object.entries(rates).filter(([name]) => /error|drop|missed|collision|fifo|nohandler/.test(name) && !/otherhost/.test(name));
  const parts = [
    `${link.name} (${[...new Set([link.kind, type ?? driver])].filter((part) => part !== undefined).join(', ')})`,
    ...(duplex === undefined ? [] : [`${duplex} duplex`]),
    ...(supportedBpsMax === undefined ? [] : [`card up to ${formatRate(supportedBpsMax)}`]),
    ...(partnerBpsMax === undefined ? [] : [`partner up to ${formatRate(partnerBpsMax)}`]),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(queues === undefined ? [] : [`${queues.rx} receive and ${queues.tx} send queue${queues.tx === 1 ? '' : 's'}`]),
    ...shaped,
    ...wrong.map(([name, rate]) => `${name} ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`),
    ...(link.unread ?? []).map(({ what, why }) => `${what} unread: ${why}`),
  ];
  return parts.join(', ');
}
