import { DEFAULT_PORT, formatEndpoint } from '../base/index.js';
import type { Endpoint, HttpOutcome } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import { TICKET_HEADER } from '../wire/index.js';
import { OUTCOMES } from './attempts.js';
import { candidatesOf } from './candidates.js';
import { openControl } from './control-client.js';
import type { CommonOptions, ProbeRequest } from './probe.js';
import { CONFIG_BYTES_MAX, NQ_PATH, parseResponsivenessConfig } from './responsiveness-config.js';
import type { ResponsivenessUrls } from './responsiveness-config.js';
import { placeOf, urlOf } from './url.js';
import type { UrlPlace } from './url.js';

/** A server to measure responsiveness against, and all that is needed to ask it. */
export interface ResponsivenessService {
  readonly urls: ResponsivenessUrls;
  readonly remote: Endpoint;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: boolean;
  /** How it was found, for the document. */
  readonly source: string;
  close(): void;
}

export type FoundService =
  | { readonly outcome: 'ok'; readonly service: ResponsivenessService }
  | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

export interface ServiceOptions extends CommonOptions {
  readonly insecure?: boolean;
}

/**
 * Finds out where the server has its resources: from its configuration document, or where a `tautline
 * serve` has them.
 */
export async function findService(request: ProbeRequest<ServiceOptions>): Promise<FoundService> {
  const place = urlOf(request.target, DEFAULT_PORT);
  const found = await candidatesOf(request, place);
  if (found.outcome !== 'ok') return found;
  const [first, remote] = await firstThatAnswers(request, place, found.remotes);
  if (first.outcome !== 'ok') return { outcome: OUTCOMES[first.outcome], reason: first.reason };
  const ticket = await ticketOf(request, remote);
  if (ticket.outcome !== 'ok') return ticket;
  const context = { request, place, remote, headers: ticket.headers, close: ticket.close };
  const service = await discover(context);
  if (service.outcome !== 'ok') ticket.close();
  return service;
}

interface Context {
  readonly request: ProbeRequest<ServiceOptions>;
  readonly place: UrlPlace;
  readonly remote: Endpoint;
  readonly headers: Readonly<Record<string, string>>;
  readonly close: () => void;
}

/** Asks each address for what is at the target until one answers, whatever it answers. */
async function firstThatAnswers(
  request: ProbeRequest<ServiceOptions>,
  place: UrlPlace,
  remotes: readonly Endpoint[],
): Promise<[HttpOutcome, Endpoint]> {
  let first: [HttpOutcome, Endpoint] | undefined;
  for (const remote of remotes) {
    const outcome = await fetchOnce(request, remote, at(place, '/small'));
    if (outcome.outcome === 'ok') return [outcome, remote];
    first ??= [outcome, remote];
    if (request.signal.aborted) break;
  }
  return (
    first ?? [
      { outcome: 'failed', reason: `${place.host} has no address` },
      { host: place.host, port: place.port, family: 4 },
    ]
  );
}

type Ticket =
  | { readonly outcome: 'ok'; readonly headers: Readonly<Record<string, string>>; readonly close: () => void }
  | Extract<FoundService, { reason: string }>;

/** With a key, a control connection proves it, and stays open as long as its ticket is used. */
async function ticketOf(request: ProbeRequest<ServiceOptions>, remote: Endpoint): Promise<Ticket> {
  const { key, ports, options, signal, target } = request;
  if (key === undefined || target.url?.startsWith('https:') === true) return { outcome: 'ok', headers: {}, close: () => undefined };
  const opened = await openControl({ ports, remote, key, timeoutMs: options.timeoutMs, signal });
  if (opened.outcome !== 'ok') return { outcome: opened.outcome, reason: opened.reason };
  const { control } = opened;
  return { outcome: 'ok', headers: { [TICKET_HEADER]: control.ticket }, close: () => control.close() };
}

async function discover(context: Context): Promise<FoundService> {
  const { request, place, remote } = context;
  const path = new URL(place.url).pathname;
  const named = path !== '/' && (path.endsWith('/nq') || path.endsWith('.json') || path.includes('config'));
  const configUrl = named ? place.url : at(place, NQ_PATH);
  const config = await fetchOnce(request, remote, configUrl, { headers: context.headers, keepBytesMax: CONFIG_BYTES_MAX });
  if (request.signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured' };
  if (config.outcome !== 'ok') return { outcome: OUTCOMES[config.outcome], reason: config.reason };
  const where = formatEndpoint(place);
  if (config.status === 401) return { outcome: 'refused', reason: `${where} wants a key: pass its file with --key-file` };
  if (config.status !== 200) {
    const redirected = config.location === undefined ? '' : ` (redirected to ${config.location}: measure that)`;
    return {
      outcome: 'unsupported',
      reason: `${where} answers HTTP, but is no responsiveness server: ${configUrl} has status ${config.status}${redirected}; measure against a tautline serve, or give the URL of a server's configuration`,
    };
  }
  const parsed = parseResponsivenessConfig(new TextDecoder().decode(config.body ?? new Uint8Array()));
  if (!parsed.ok) return { outcome: 'unsupported', reason: `${configUrl} is not a responsiveness configuration: ${parsed.why}` };
  return serviceOf(context, parsed.urls, configUrl);
}

/** The URLs may lead to another host than the one that had the configuration. */
async function serviceOf(context: Context, urls: ResponsivenessUrls, source: string): Promise<FoundService> {
  const { request, place, remote, headers, close } = context;
  const to = placeOf(urls.small) as UrlPlace;
  const host = urls.endpoint ?? to.host;
  const tls = urls.small.startsWith('https:');
  if (host === place.host && to.port === place.port) return { outcome: 'ok', service: { urls, remote, headers, tls, source, close } };
  const found = await candidatesOf(request, { host, port: to.port });
  if (found.outcome !== 'ok') return { outcome: found.outcome, reason: `the configuration leads to ${host}: ${found.reason}` };
  const [first, reached] = await firstThatAnswers(request, to, found.remotes);
  if (first.outcome !== 'ok') return { outcome: OUTCOMES[first.outcome], reason: `the configuration leads to ${host}: ${first.reason}` };
  // A ticket is for the server that gave it.
  return { outcome: 'ok', service: { urls, remote: reached, headers: {}, tls, source, close } };
}

async function fetchOnce(
  request: ProbeRequest<ServiceOptions>,
  remote: Endpoint,
  url: string,
  more: { headers?: Readonly<Record<string, string>>; keepBytesMax?: number } = {},
): Promise<HttpOutcome> {
  const { ports, options, signal } = request;
  const client = ports.web.client();
  try {
    return await client.request({
      url,
      remote,
      method: 'GET',
      timeoutMs: options.timeoutMs,
      signal,
      ...(options.insecure === true ? { insecure: true } : {}),
      ...more,
    });
  } finally {
    client.close();
  }
}

function at(place: UrlPlace, path: string): string {
  return new URL(path, place.url).href;
}
