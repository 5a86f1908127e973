import { encodeAddress } from '../wire/index.js';
import type { HttpAsk, HttpBody, HttpReply, HttpResponder } from '../wire/index.js';
import type { Limits } from './limits.js';
import { clientOf } from './sessions.js';

export interface HttpContext {
  readonly limits: Limits;
  /** What this server calls itself. */
  readonly software: string;
  /** Says whether a ticket opens what moves bytes; undefined where no key is set and everything is open. */
  readonly checkTicket?: (client: string, ticket: string) => boolean;
}

/** The HTTP side of `tautline serve`, for a server that owns the sockets. */
export function createHttpResponder(context: HttpContext): HttpResponder {
  return {
    answer: (ask) => answerHttp(ask, context),
    refuse: refuseHttp,
    uploadReceipt,
    clientOf: (address) => clientOf(encodeAddress({ host: address, port: 0, family: address.includes(':') ? 6 : 4 })),
    limits: context.limits,
  };
}

/**
 * Answers one HTTP request to `tautline serve`.
 *
 *   /                what this is
 *   /small           one byte
 *   /large           zeros, as many as one answer may have
 *   /bytes/N         N zeros
 *   /upload          takes a POST of any length
 *   /.well-known/nq  where those are (draft-ietf-ippm-responsiveness, section 7.1)
 *
 * With a key, everything but `/` and `/small` needs a ticket, which a client gets on a control
 * connection once both sides have proved the key.
 */
export function answerHttp(ask: HttpAsk, context: HttpContext): HttpReply {
  const path = ask.target.split(/[?#]/, 1)[0] ?? '';
  const { limits } = context;
  const count = /^\/bytes\/(\d{1,16})$/.exec(path);
  const known = count ? BYTES_ROUTE : path;
  const route = (count || path.startsWith('/')) && Object.hasOwn(ROUTES, known) ? ROUTES[known] : undefined;
  if (route === undefined) return text(404, `nothing is at this path; there are / /small /large /bytes/N /upload ${NQ_PATH}\n`);
  if (!route.methods.includes(ask.method)) return text(405, `this path takes ${route.methods.join(' or ')}\n`, { allow: route.methods.join(', ') });
  if (!route.open && context.checkTicket !== undefined && !(ask.ticket !== undefined && context.checkTicket(ask.client, ask.ticket))) {
    return text(401, `this path needs a ticket: measure with tautline and the key of this server\n`, { 'www-authenticate': 'Tautline' });
  }
  return route.answer({ ask, context, limits, count: Number(count?.[1] ?? 0) });
}

/** The answer to a request beyond the limits on how many there may be at once. */
export function refuseHttp(whose: 'client' | 'all'): HttpReply {
  return text(
    whose === 'client' ? 429 : 503,
    whose === 'client' ? 'you have too many requests at once\n' : 'this server has too many requests at once\n',
    { 'retry-after': '5' },
  );
}

/** What is said at the end of an upload. */
export function uploadReceipt(bytes: number): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ bytes })}\n`);
}

interface RouteCall {
  readonly ask: HttpAsk;
  readonly context: HttpContext;
  readonly limits: Limits;
  readonly count: number;
}

interface Route {
  readonly methods: readonly string[];
  /** Needs no ticket. */
  readonly open: boolean;
  readonly answer: (call: RouteCall) => HttpReply;
}

const NQ_PATH = '/.well-known/nq';
/** Stands for every `/bytes/N`; no path can be the same, since those begin with a slash. */
const BYTES_ROUTE = 'bytes';
const READ = ['GET', 'HEAD'] as const;

const ROUTES: Readonly<Record<string, Route>> = {
  '/': {
    methods: READ,
    open: true,
    answer: ({ context }) => text(200, `${context.software}: answers network measurements. Measure the path to it with: tautline check HOST:PORT\n`),
  },
  '/small': { methods: READ, open: true, answer: () => octets({ kind: 'bytes', bytes: new Uint8Array(1) }, 1) },
  '/large': { methods: READ, open: false, answer: ({ limits }) => zeros(limits.httpBytesMax) },
  [BYTES_ROUTE]: {
    methods: READ,
    open: false,
    answer: ({ count, limits }) =>
      count <= limits.httpBytesMax ? zeros(count) : text(413, `at most ${limits.httpBytesMax} bytes: limit httpBytesMax\n`),
  },
  '/upload': {
    methods: ['POST', 'PUT'],
    open: false,
    answer: ({ ask, limits }) =>
      ask.contentLength !== undefined && ask.contentLength > limits.httpBytesMax
        ? text(413, `at most ${limits.httpBytesMax} bytes: limit httpBytesMax\n`)
        : {
            status: 200,
            headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
            body: { kind: 'sink', bytesMax: limits.httpBytesMax },
          },
  },
  [NQ_PATH]: { methods: READ, open: false, answer: ({ ask }) => configuration(ask) },
};

function zeros(bytes: number): HttpReply {
  return octets({ kind: 'zeros', bytes }, bytes);
}

function octets(body: HttpBody, length: number): HttpReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length), 'cache-control': 'no-store' },
    body,
  };
}

/** The URLs must be absolute, so they repeat what the client calls this server, once that is proved to be a host and port. */
function configuration({ authority, secure = false }: HttpAsk): HttpReply {
  if (authority === undefined || authority.length > AUTHORITY_LENGTH_MAX || !/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(authority)) {
    return text(400, 'the request must name this host and its port\n');
  }
  const at = (path: string): string => `${secure ? 'https' : 'http'}://${authority}${path}`;
  const document = { version: 1, urls: { large_download_url: at('/large'), small_download_url: at('/small'), upload_url: at('/upload') } };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'content-length': String(bytes.length), 'cache-control': 'no-store' },
    body: { kind: 'bytes', bytes },
  };
}

const AUTHORITY_LENGTH_MAX = 262;

function text(status: number, message: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  const bytes = new TextEncoder().encode(message);
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(bytes.length), 'cache-control': 'no-store', ...headers },
    body: { kind: 'bytes', bytes },
  };
}
