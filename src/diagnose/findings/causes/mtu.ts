import { shellWord } from '../../../base/index.js';
import type { Measurement, MtuDetails } from '../../../results/index.js';
import type { ThroughputDetails } from '../../path-figures.js';
import { detailsOf, finite, isTunnelled, worked } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause, EvidenceItem } from '../cause.js';
import { all } from '../figures.js';
import { change, look, onOs } from '../steps.js';

export const mtuBlackHole: Cause = {
  id: 'mtu-black-hole',
  title: 'Large packets vanish without an answer (MTU black hole)',
  severity: 'critical',
  explains: ['large-packets-vanish', 'stalled-transfer', 'slow-tls'],
  check: 'the path MTU by packets that may not be fragmented, up and down: large ones vanish and no router says "too big"',
  fix: 'let ICMP "fragmentation needed" and "packet too big" through (RFC 2979, RFC 4890), or clamp the MSS, or set the MTU at the tunnel’s ends',
  specificity: 5,
  judge(facts) {
    const measured = all(facts.path, 'mtu').filter(({ details }) => details?.['blackHole'] !== undefined);
    const holes = measured.map((each) => ({ each, details: detailsOf<MtuDetails>(each) })).filter(({ details }) => details.blackHole === true);
    const next = [
      look('find the size that passes', `tautline measure mtu ${shellWord(facts.path.address ?? facts.path.peer)}`, 'mtu'),
      ...holes
        .flatMap(({ details: { clamp } }) => (clamp ? [change(`clamp the MSS to ${clamp.mssBytes}: ${clamp.why}`, clamp.command)] : []))
        .slice(0, 1),
      change('let the ICMP messages through that say "too big", on the firewall between'),
      change(
        'let TCP find out by itself meanwhile',
        onOs(facts, { linux: 'sysctl -w net.ipv4.tcp_mtu_probing=1', darwin: 'sudo sysctl -w net.inet.tcp.pmtud_blackhole_detection=1' }),
      ),
    ];
    if (holes.length > 0) {
      const ways = [...new Set(holes.map(({ details }) => details.direction))].filter((way) => way !== undefined);
      const both = ways.includes('both') || ways.length > 1;
      return {
        state: 'supported',
        proof: 'shown',
        title: `Packets above ${Math.min(...holes.flatMap(({ details }) => finite(details.passesBytes) ?? []), 65_535)} bytes vanish without an answer ${both ? 'both ways' : ways[0] === 'up' ? 'on the way to the peer' : 'on the way back'} (MTU black hole)`,
        evidence: holes.flatMap(({ details }): EvidenceItem[] =>
          details.interfaceMtuBytes === undefined
            ? []
            : [
                {
                  text: `the interface ${details.interfaceName ?? ''} sends up to ${details.interfaceMtuBytes} bytes`,
                  value: details.interfaceMtuBytes,
                  unit: 'bytes',
                },
              ],
        ),
        next,
      };
    }
    if (measured.length > 0) return excluded('packets as large as the interface sends pass, or a router says what is too large');
    const stuck = facts.noticed.filter(({ symptom }) => symptom === 'stalled-transfer').flatMap(({ direction }) => direction ?? []);
    if (stuck.length === 0) return unknown('the path MTU was not measured');
    const waiting = stuck.every((direction) =>
      facts.path.measurements.some((each) => each.metric === `throughput.${direction}` && waitedForReceiver(each)),
    );
    if (waiting) return excluded('TCP waited for the receiver to read, so segments arrived');
    return { state: 'supported', proof: 'fits', severity: 'warning', symptoms: ['stalled-transfer'], evidence: [], next };
  },
};

/** Segments that vanish are not acknowledged, and leave the receiver's window open. */
function waitedForReceiver(measurement: Measurement): boolean {
  const [stream] = detailsOf<ThroughputDetails>(measurement).perStream ?? [];
  return (finite(stream?.receiverLimitedMs) ?? 0) > (finite(stream?.busyMs) ?? 0) / 2;
}

export const pathMtu: Cause = {
  id: 'path-mtu',
  title: 'The path takes smaller packets than the interface sends',
  severity: 'notice',
  explains: ['small-path-mtu'],
  check: "the path MTU against the interface's; a router on the way says which size it takes",
  fix: 'clamp the MSS, or set the MTU of the route, so that connections need not find out',
  judge(facts) {
    const found = all(facts.path, 'mtu').filter((each) => worked(each, 'bytes'));
    if (found.length === 0) return unknown('the path MTU was not measured');
    const small = found.flatMap((each) => {
      const details = detailsOf<MtuDetails>(each);
      const bytes = each.summary?.median ?? 0;
      const own = finite(details.interfaceMtuBytes) ?? facts.path.near?.link?.mtu;
      return details.blackHole !== true && own !== undefined && bytes < own && bytes < 1500 ? [{ bytes, own, details, metric: each.metric }] : [];
    });
    const [first] = small;
    if (found.some(({ details }) => details?.['blackHole'] === true)) return excluded('larger packets vanish, which is more than a smaller MTU');
    if (!first || isTunnelled(facts.path)) return excluded('the path takes what the interface sends');
    const { clamp, tooBigFrom } = first.details;
    return {
      state: 'supported',
      proof: 'shown',
      evidence: small.map(({ bytes, own, metric }) => ({
        text: `the path takes ${bytes} bytes, the interface sends up to ${own}${tooBigFrom === undefined ? '' : `; ${tooBigFrom} says so`}`,
        metric,
        value: bytes,
        unit: 'bytes',
        expected: own,
      })),
      next: [
        clamp
          ? change(`clamp the MSS to ${clamp.mssBytes}: ${clamp.why}`, clamp.command)
          : change(
              'set the MTU of the route to the peer',
              onOs(facts, { linux: `ip route change ${shellWord(facts.path.address ?? 'ADDRESS')} via GATEWAY mtu ${first.bytes}` }),
            ),
      ],
    };
  },
};
