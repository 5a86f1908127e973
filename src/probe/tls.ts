import { formatEndpoint } from '../base/index.js';
import type { Endpoint, TlsOutcome } from '../base/index.js';
import type { Measurement } from '../results/index.js';
import { attemptAll, verdictOf } from './attempts.js';
import type { Attempt } from './attempts.js';
import { candidatesOf } from './candidates.js';
import { makerOf, ownTimeError, withSummary } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';

export interface TlsOptions extends CommonOptions {
  /** The name to ask for and to find in the certificate, where it is not the target's own. */
  readonly serverName?: string;
}

const SAMPLING: Sampling = { count: 10, intervalMs: 200 };
const HTTPS_PORT = 443;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner than this is worth a word. */
const SOON_DAYS = 14;

/** Full TLS handshakes on fresh connections, apart from the time to connect, and what the certificate says. */
export const tlsProbe: Probe<TlsOptions> = {
  name: 'tls',
  summary: 'time of a full TLS handshake, protocol and certificate',
  flags: [{ key: 'serverName', flag: '--server-name <name>', help: 'name to ask for (SNI) and to find in the certificate', parse: (text) => text }],
  defaults: { timeoutMs: 5000 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs;
  },
  run: runTls,
};

type Handshake = Extract<TlsOutcome, { outcome: 'ok' }>;

async function runTls(request: ProbeRequest<TlsOptions>): Promise<Measurement[]> {
  const { options, ports, signal, target, seed } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('tls', request);
  const found = await candidatesOf(request, { host: target.host, port: target.port ?? HTTPS_PORT });
  if (found.outcome !== 'ok') return [make('tls', found)];
  const serverName = options.serverName ?? target.host;
  const attempt = async (remote: Endpoint): Promise<Attempt<Handshake>> => {
    const outcome = await ports.web.tls({ remote, serverName, timeoutMs: options.timeoutMs, session: 'fresh', signal });
    return outcome.outcome === 'ok' ? { outcome: 'ok', value: outcome } : outcome;
  };
  const attempts = await attemptAll({ remotes: found.remotes, sampling, request, doing: 'shaking hands with', attempt });
  const verdict = verdictOf(attempts, 'handshake');
  const { values } = attempts;
  const shared = { ...verdict, ...ownTimeError(values.map(({ ownMs }) => ownMs)) };
  if (values.length === 0) return [make('tls', shared)];
  const remarks = [verdict.reason, ...trustRemarks(values, ports.clock.wallMs())].filter((remark) => remark !== undefined);
  return [
    make('tls', {
      ...shared,
      ...(remarks.length > 0 ? { reason: remarks.join('; ') } : {}),
      ...withSummary(
        values.map(({ handshakeMs }) => handshakeMs),
        seed,
      ),
      details: {
        remote: formatEndpoint(attempts.remote),
        ...factsOf(values),
        count: sampling.count,
        ...(Object.keys(attempts.passedOver).length > 0 ? { passedOver: attempts.passedOver } : {}),
      },
    }),
    make('connect', {
      ...shared,
      ...withSummary(
        values.map(({ connectMs }) => connectMs),
        seed,
      ),
    }),
    make('tls.total', {
      ...shared,
      ...withSummary(
        values.map(({ connectMs, handshakeMs }) => connectMs + handshakeMs),
        seed,
      ),
    }),
  ];
}

/** What was agreed on, and the certificate; where handshakes differed (several servers behind one address), each value once. */
function factsOf(values: readonly Handshake[]): Record<string, unknown> {
  const distinct = (pick: (value: Handshake) => string | undefined): string => [...new Set(values.map((value) => pick(value) ?? 'none'))].join(', ');
  const { certificate, authorized } = values.at(-1) as Handshake;
  return {
    protocol: distinct(({ protocol }) => protocol),
    cipher: distinct(({ cipher }) => cipher),
    alpn: distinct(({ alpn }) => alpn),
    trusted: authorized,
    ...(certificate ? { certificate, issuer: certificate.issuer, validTo: certificate.validTo } : {}),
  };
}

function trustRemarks(values: readonly Handshake[], wallMs: number): string[] {
  const untrusted = values.find(({ authorized }) => !authorized);
  if (untrusted) return [`measured, but the certificate is not trusted: ${untrusted.authorizationError ?? 'unknown reason'}`];
  const ends = Date.parse(values.at(-1)?.certificate?.validTo ?? '');
  const days = Math.floor((ends - wallMs) / DAY_MS);
  return days < SOON_DAYS ? [`the certificate ends in ${days} days`] : [];
}
