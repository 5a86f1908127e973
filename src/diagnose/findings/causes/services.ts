import { formatMs } from '../../../base/index.js';
import type { Cause } from '../cause.js';
import { excluded, unknown } from '../cause.js';
import { idleLoss, isLossy } from '../../path-loss.js';
import { detailsOf } from '../../path-figures.js';
import { find, msItem } from '../figures.js';
import { change, look, onOs } from '../steps.js';
import { SYN_RTO_MS, serverTime, tlsExcess } from '../symptoms/services.js';

export const tlsSlow: Cause = {
  id: 'slow-tls',
  title: 'The server takes long over TLS handshakes',
  severity: 'warning',
  explains: ['slow-tls'],
  check: 'the handshake less the round trips that its version needs, beside a connect that is fast on the same connections',
  fix: 'an ECDSA key instead of RSA 4096, a short certificate chain, OCSP stapled, session tickets, and TLS 1.3; a server whose processor has room',
  specificity: 2,
  judge(facts) {
    const found = tlsExcess(facts.path);
    if (!found) return excluded('handshakes take their round trips and little more');
    if (isLossy(idleLoss(facts.path))) return { state: 'unknown', why: 'packets are lost on the path, which lengthens handshakes too' };
    const { cipher, protocol, issuer } = detailsOf<{ cipher: string; protocol: string; issuer: string }>(found.measurement);
    return {
      state: 'supported',
      proof: 'shown',
      of: 'far',
      evidence: [
        msItem(`connecting takes ${formatMs(found.rttMs)}; the server adds ${formatMs(found.excessMs)} to the handshake`, {
          metric: found.measurement.metric,
          value: found.excessMs,
          expected: 0,
        }),
        ...(protocol === undefined
          ? []
          : [{ text: `${protocol}${cipher === undefined ? '' : `, ${cipher}`}${issuer === undefined ? '' : `, certificate of ${issuer}`}` }]),
      ],
      next: [
        look(
          'see chain, key and stapling',
          `openssl s_client -connect ${found.measurement.target.replace(/^https?:\/\//, '').split('/')[0] ?? 'HOST:443'} -status -showcerts </dev/null`,
        ),
        look('see what the server computes meanwhile', 'top'),
        change('use an ECDSA P-256 key, TLS 1.3 with session tickets, and staple OCSP at the server'),
      ],
    };
  },
};

export const serverSlow: Cause = {
  id: 'slow-server',
  title: 'The server takes long to answer',
  severity: 'warning',
  explains: ['slow-server'],
  check: 'the first byte of an answer less the round trip, beside a connect that is fast',
  fix: 'look into the service: its own log, its database, its processor; the path cannot be faster than it',
  specificity: 2,
  judge(facts) {
    const found = serverTime(facts.path);
    if (!found) return unknown('no HTTP answer was measured');
    if (!facts.noticed.some(({ symptom }) => symptom === 'slow-server'))
      return excluded(`the server takes ${formatMs(Math.max(0, found.serverMs))} beyond the round trip`);
    if (isLossy(idleLoss(facts.path))) return unknown('packets are lost on the path, which delays answers too');
    const status = find(facts.path, 'http.total')?.reason;
    return {
      state: 'supported',
      proof: 'shown',
      of: 'far',
      evidence: [
        msItem(`connecting takes ${formatMs(found.rttMs)}; the server takes ${formatMs(found.serverMs)} more until the first byte`, {
          metric: found.measurement.metric,
          value: found.serverMs,
          expected: 0,
        }),
        ...(status === undefined ? [] : [{ text: status }]),
      ],
      next: [
        look("look into the service's log and its processor for the time of this run"),
        change('cache what takes long, or give the service more room'),
      ],
    };
  },
};

export const synLoss: Cause = {
  id: 'lost-handshakes',
  title: 'The first packets of connections are lost or dropped',
  severity: 'warning',
  explains: ['slow-connect', 'no-answer'],
  check: 'connects that take whole seconds longer: TCP sends a lost SYN again after one second, then more (RFC 6298)',
  fix: 'find what drops SYNs: a rate limit on new connections, a full listen queue at the server, or loss on the path',
  specificity: 2,
  judge(facts) {
    const found = facts.path.measurements.find(({ probe, metric, summary }) => probe === 'tcp' && metric === 'connect' && summary);
    const summary = found?.summary;
    if (!found || !summary) return unknown('no connect succeeded');
    const steps = [summary.max, summary.p99, summary.p95, summary.median].map((ms) => ms - summary.min).filter((ms) => ms >= 0.9 * SYN_RTO_MS);
    const [longest] = steps;
    if (longest === undefined) return excluded(`all of ${summary.n} connects took ${formatMs(summary.max)} at most`);
    const whole = Math.round(longest / SYN_RTO_MS);
    // Quantiles between two samples lie anywhere; the largest is a sample itself.
    if (Math.abs(longest - whole * SYN_RTO_MS) > 0.25 * SYN_RTO_MS)
      return excluded(`the slow connects took ${formatMs(longest)} longer, which is no whole second`);
    const lossy = idleLoss(facts.path);
    const clean = lossy !== undefined && !isLossy(lossy);
    return {
      state: 'supported',
      proof: clean ? 'shown' : 'fits',
      evidence: [
        msItem(`the fastest connect took ${formatMs(summary.min)}, the slowest ${whole} s longer: its SYN was sent again`, {
          metric: 'connect',
          value: summary.max,
          expected: summary.min,
        }),
        ...(clean
          ? [
              {
                text: `of ${lossy.sent} other packets ${lossy.lost} were lost, so it is new connections that are dropped`,
                value: lossy.ratio,
                unit: 'ratio' as const,
              },
            ]
          : []),
      ],
      next: [
        look('see at the peer whether its listen queue overflows', 'nstat -az TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop'),
        look('see whether a firewall limits new connections', onOs(facts, { linux: 'nft list ruleset | grep -E "limit|ct state new"' })),
        change('raise the listen queue at the peer, or the limit of the firewall', 'sysctl -w net.core.somaxconn=4096'),
      ],
    };
  },
};

export const clockSteps: Cause = {
  id: 'clock-steps',
  title: 'A clock was set, or runs badly, while it was measured',
  severity: 'notice',
  explains: ['clock', 'jitter'],
  check: 'holding times at the responder that make no sense, and the drift between both clocks',
  fix: 'let one time service discipline the clock, and slew instead of step',
  judge(facts) {
    const seen = facts.noticed.filter(({ symptom }) => symptom === 'clock');
    if (seen.length === 0) return excluded('neither clock stepped');
    return {
      state: 'supported',
      proof: 'shown',
      of: 'far',
      evidence: [],
      next: [look('see what disciplines the clock at the peer', 'timedatectl; chronyc tracking'), change('run one time service there, with slewing')],
    };
  },
};
