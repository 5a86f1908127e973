import { formatMs } from '../../../base/index.js';
import type { Measurement } from '../../../results/index.js';
import { detailsOf, finite, worked } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { all, find, msItem } from '../figures.js';
import { change, look, onOs } from '../steps.js';
import { SLOW_NAMES_MS } from '../symptoms/services.js';

function servers({ measurements }: { measurements: readonly Measurement[] }): Measurement[] {
  return measurements.filter(({ metric, probe }) => probe === 'dns' && metric === 'dns');
}

function isSlow(measurement: Measurement): boolean {
  return worked(measurement, 'ms') && (measurement.summary?.median ?? 0) >= SLOW_NAMES_MS;
}

export const dnsSlow: Cause = {
  id: 'slow-resolver',
  title: 'A resolver answers slowly',
  severity: 'warning',
  explains: ['slow-names'],
  check: 'questions to each resolver by itself, the first and repeated ones apart, against the lookup that programs use',
  fix: 'use a resolver nearby that keeps a cache, or put a cache on this host',
  specificity: 2,
  judge(facts) {
    const asked = servers(facts.path);
    const slow = asked.filter(isSlow);
    const [first] = slow;
    if (asked.length === 0) return unknown('no resolver was asked directly');
    if (!first) return excluded(`every resolver that was asked answers within ${SLOW_NAMES_MS} ms`);
    const fast = asked.find((each) => worked(each, 'ms') && (each.summary?.median ?? Number.POSITIVE_INFINITY) < SLOW_NAMES_MS);
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: slow.flatMap((each) => {
        const { server, firstMs } = detailsOf<{ server: string; firstMs: number }>(each);
        const cold = finite(firstMs);
        const median = each.summary?.median ?? 0;
        const repeated =
          cold !== undefined && median < cold / 2
            ? 'the first question took much longer'
            : 'repeated questions take as long as the first: it keeps no cache, or is far';
        return [
          msItem(`${server ?? each.target} takes ${formatMs(median)}${cold === undefined ? '' : `, ${formatMs(cold)} at first; ${repeated}`}`, {
            metric: 'dns',
            value: median,
            expected: SLOW_NAMES_MS,
          }),
        ];
      }),
      next: [
        look('see which resolvers are in use', onOs(facts, { linux: 'resolvectl status || cat /etc/resolv.conf', darwin: 'scutil --dns' })),
        change(
          fast
            ? `put the faster resolver first: ${detailsOf<{ server: string }>(fast).server ?? fast.target}`
            : 'use a resolver that is nearer, or run a cache on this host',
          onOs(facts, { linux: 'apt-get install unbound' }),
        ),
      ],
    };
  },
};

export const lookupDetour: Cause = {
  id: 'lookup-detour',
  title: 'The system’s lookup takes longer than its resolvers',
  severity: 'warning',
  explains: ['slow-names'],
  check: "the system's lookup against direct questions to the resolvers in use",
  fix: 'remove a dead resolver that is asked first, a search list that is tried first, or sources before DNS in nsswitch.conf',
  specificity: 1,
  judge(facts) {
    const system = find(facts.path, 'dns.system') ?? find(facts.path, 'http.dns');
    const asked = servers(facts.path).filter((each) => worked(each, 'ms'));
    if (!system || !worked(system, 'ms')) return unknown("the system's lookup was not measured");
    if (!isSlow(system)) return excluded(`the system's lookup takes ${formatMs(system.summary?.median ?? 0)}`);
    if (asked.length === 0) return unknown('no resolver was asked directly');
    if (asked.some(isSlow)) return excluded('a resolver itself is slow');
    const fastest = Math.min(...asked.map((each) => each.summary?.median ?? Number.POSITIVE_INFINITY));
    if (servers(facts.path).some(({ outcome }) => outcome === 'timeout')) return excluded('a resolver does not answer, and is waited for');
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: [
        msItem(`the system's lookup takes ${formatMs(system.summary?.median ?? 0)}, a resolver ${formatMs(fastest)}`, {
          metric: system.metric,
          value: system.summary?.median ?? 0,
          expected: fastest,
        }),
      ],
      next: [
        look(
          'see what is asked before and beside DNS',
          onOs(facts, { linux: 'grep hosts /etc/nsswitch.conf; cat /etc/resolv.conf', darwin: 'scutil --dns' }),
        ),
        change('shorten the search list, or lower `options ndots timeout` in resolv.conf'),
      ],
    };
  },
};

export const dnsBroken: Cause = {
  id: 'dead-resolver',
  title: 'A resolver does not answer, or fails',
  severity: 'warning',
  explains: ['names-fail', 'slow-names'],
  check: 'questions to each resolver by itself: silence, refusal, SERVFAIL',
  fix: 'restart or replace the resolver; until then leave it out of the list, since it is waited for',
  specificity: 2,
  judge(facts) {
    const asked = all(facts.path, 'dns').filter(({ metric }) => metric === 'dns');
    const bad = asked.filter((each) => {
      const { rcode } = detailsOf<{ rcode: string }>(each);
      return (
        each.partial !== true &&
        (each.outcome === 'timeout' || each.outcome === 'lost' || each.outcome === 'refused' || rcode === 'SERVFAIL' || rcode === 'REFUSED')
      );
    });
    if (asked.length === 0) return unknown('no resolver was asked directly');
    if (bad.length === 0) return excluded('every resolver that was asked answers');
    const everyone = bad.length === asked.length;
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      severity: everyone ? 'critical' : 'warning',
      title: everyone ? 'No resolver answers' : 'One of the resolvers does not answer',
      evidence: [],
      next: [
        look('see which resolvers are in use', onOs(facts, { linux: 'resolvectl status || cat /etc/resolv.conf', darwin: 'scutil --dns' })),
        change(everyone ? 'restart the resolver, or use another one' : 'remove the one that does not answer: programs wait for it first'),
      ],
    };
  },
};
