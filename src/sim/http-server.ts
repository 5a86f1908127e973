import type { HttpReply, HttpResponder } from '../wire/index.js';
import type { SimConnection } from './connection.js';
import type { TlsSpec, WebRoute, WebServiceSpec } from './scenario.js';

/** An HTTP server on a port. serve's own responder fits, and so does one made of a scenario's routes. */
export interface HttpService {
  readonly responder: Pick<HttpResponder, 'answer' | 'uploadReceipt' | 'clientOf'>;
  readonly tls?: TlsSpec;
  /** `h2` carries many requests at once on a connection. Default `h1`. */
  readonly protocol?: 'h1' | 'h2';
  /** Ends the connection after every answer. */
  readonly closes?: boolean;
  /** Its own time before it answers. */
  readonly serverMs?: (target: string) => number;
}

/** What the two ends say to each other; the bytes that carry it have about the lengths of real ones. */
export type HttpNote =
  | { readonly kind: 'client-hello' }
  | { readonly kind: 'server-hello'; readonly tls: TlsSpec; readonly alpn: string }
  | { readonly kind: 'client-finished' }
  | { readonly kind: 'server-finished' }
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly method: string;
      readonly target: string;
      readonly authority: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly uploads: boolean;
      /** A short one, that comes with the request. */
      readonly body?: string;
    }
  | { readonly kind: 'upload-end'; readonly id: number }
  | { readonly kind: 'head'; readonly id: number; readonly reply: HttpReply; readonly bodyBytes: number; readonly closes: boolean }
  | { readonly kind: 'end'; readonly id: number; readonly body: Uint8Array };

export const NOTE_BYTES = { clientHello: 517, serverFlight: 4000, finished: 74, request: 180, head: 200, end: 9 } as const;
const TLS_SERVER_FINISHED_BYTES = 51;
/** Longer bodies share the connection with other answers instead of being queued before them. */
const BULK_BYTES_MIN = 65_536;

/** Serves one connection until it ends. */
export function serveHttp(connection: SimConnection, service: HttpService): void {
  const { timeline } = connection.host.network;
  const client = service.responder.clientOf(connection.remote.host);
  const bulks: { readonly id: number; left: number }[] = [];
  let secured = service.tls === undefined;
  let upload: { readonly id: number; readonly bytesMax: number; bytes: number } | undefined;

  const say = (length: number, note: HttpNote): void => connection.out.write({ length, bytes: undefined, note });
  const end = (id: number, body: Uint8Array = new Uint8Array()): void => {
    say(Math.max(NOTE_BYTES.end, body.length), { kind: 'end', id, body });
    if (service.closes) connection.close();
  };
  const supply = (bytesMax: number): number => {
    const bulk = bulks[0];
    if (!bulk) return 0;
    const bytes = Math.min(bytesMax, bulk.left);
    bulk.left -= bytes;
    if (bulk.left === 0) {
      bulks.shift();
      timeline.after(0, () => end(bulk.id));
    } else if (bulks.length > 1) bulks.push(bulks.shift() ?? bulk);
    return bytes;
  };
  const reply = (id: number, answer: HttpReply): void => {
    const { body } = answer;
    const bodyBytes = body.kind === 'bytes' ? body.bytes.length : body.kind === 'zeros' ? body.bytes : 0;
    say(NOTE_BYTES.head, { kind: 'head', id, reply: answer, bodyBytes, closes: service.closes === true });
    if (body.kind === 'bytes') return end(id, body.bytes);
    if (bodyBytes < BULK_BYTES_MIN) {
      if (bodyBytes > 0) connection.out.write({ length: bodyBytes, bytes: undefined });
      return end(id);
    }
    bulks.push({ id, left: bodyBytes });
    connection.out.supply(supply);
  };
  const finishUpload = (): void => {
    if (!upload) return;
    const { id, bytes } = upload;
    upload = undefined;
    reply(id, { status: 200, headers: {}, body: { kind: 'bytes', bytes: service.responder.uploadReceipt(bytes) } });
  };
  const request = (note: HttpNote & { kind: 'request' }): void => {
    const answer = service.responder.answer({
      method: note.method,
      target: note.target,
      authority: note.authority,
      ticket: note.headers['tautline-ticket'],
      client,
      ...(note.body === undefined ? {} : { body: note.body }),
    });
    if (answer.body.kind !== 'sink') return reply(note.id, answer);
    upload = { id: note.id, bytesMax: answer.body.bytesMax, bytes: 0 };
    if (!note.uploads) finishUpload();
  };
  const hear = (note: HttpNote): void => {
    if (connection.ended === 'reset' || connection.ended === 'closed') return;
    if (note.kind === 'client-hello' && service.tls) {
      const { tls } = service;
      say(tls.flightBytes ?? NOTE_BYTES.serverFlight, { kind: 'server-hello', tls, alpn: service.protocol === 'h2' ? 'h2' : 'http/1.1' });
    } else if (note.kind === 'client-finished') {
      secured = true;
      if (service.tls?.protocol === 'TLSv1.2') say(TLS_SERVER_FINISHED_BYTES, { kind: 'server-finished' });
    } else if (note.kind === 'request' && secured) request(note);
    else if (note.kind === 'upload-end') finishUpload();
    // TLS where there is none, or none where there is: not understood.
    else connection.close();
  };
  const delayMs = (note: HttpNote): number => {
    if (note.kind === 'client-hello') return service.tls?.serverMs ?? 0;
    return note.kind === 'request' ? (service.serverMs?.(note.target) ?? 0) : 0;
  };

  connection.onBroken = () => connection.out.supply(undefined);
  connection.inbox.onReadable = () => connection.inbox.ended && connection.close();
  connection.inbox.consume((chunk) => {
    const note = chunk.note as HttpNote | undefined;
    if (note) {
      const afterMs = delayMs(note);
      if (afterMs === 0) hear(note);
      else timeline.after(afterMs * 1e6, () => hear(note));
    } else if (upload) {
      upload.bytes += chunk.length;
      if (upload.bytes >= upload.bytesMax) finishUpload();
    }
  });
}

/** The server that a scenario describes. */
export function serviceOf(spec: WebServiceSpec): HttpService {
  const patched = new Map<WebRoute, string>();
  const routeOf = (target: string): WebRoute | undefined => spec.routes[target.split('?')[0] ?? ''];
  return {
    responder: {
      clientOf: (address) => address,
      uploadReceipt: (bytes) => new TextEncoder().encode(String(bytes)),
      answer({ method, target, body: sent }) {
        const route = routeOf(target);
        if (!route) return { status: 404, headers: {}, body: { kind: 'zeros', bytes: 0 } };
        if (method === 'PATCH') return patch(route, sent ?? '', patched);
        if (method === 'POST') return { status: route.status ?? 200, headers: {}, body: { kind: 'sink', bytesMax: Number.MAX_SAFE_INTEGER } };
        if (route.body !== undefined && method !== 'HEAD')
          return {
            status: route.status ?? 200,
            headers: {},
            body: { kind: 'bytes', bytes: new TextEncoder().encode(patched.get(route) ?? route.body) },
          };
        const bytes = method === 'HEAD' ? 0 : route.bytes === 'endless' ? Number.MAX_SAFE_INTEGER : (route.bytes ?? 0);
        return { status: route.status ?? 200, headers: {}, body: { kind: 'zeros', bytes } };
      },
    },
    serverMs: (target) => routeOf(target)?.serverMs ?? 0,
    ...(spec.tls === undefined ? {} : { tls: spec.tls }),
    ...(spec.protocol === undefined ? {} : { protocol: spec.protocol }),
    ...(spec.closes === undefined ? {} : { closes: spec.closes }),
  };
}

/** As ipn.MaskedPrefs of the Tailscale client has it: what is not marked as set stays. */
function patch(route: WebRoute, sent: string, patched: Map<WebRoute, string>): HttpReply {
  const say = (status: number, text: string): HttpReply => ({ status, headers: {}, body: { kind: 'bytes', bytes: new TextEncoder().encode(text) } });
  if (route.patches === undefined) return say(405, 'method not allowed');
  if (route.patches === 'refused') return say(403, 'access denied');
  const now = JSON.parse(patched.get(route) ?? route.body ?? '{}') as Record<string, unknown>;
  const masked = JSON.parse(sent) as Record<string, unknown>;
  for (const name of Object.keys(masked)) if (masked[`${name}Set`] === true) now[name] = masked[name];
  const text = JSON.stringify(now);
  patched.set(route, text);
  return say(200, text);
}
