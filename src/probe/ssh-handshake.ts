import type { Connection, Endpoint, Ports } from '../base/index.js';
import { SshExchange, plainText } from '../wire/index.js';
import type { SshFacts } from '../wire/index.js';
import type { PortFailure } from './attempts.js';

/** How this program names itself to servers, in whose logs it stands. */
const SOFTWARE = 'Tautline';

/** How far one fresh connection came. The phases follow each other without a gap. */
export interface SshHandshake {
  readonly connectMs?: number;
  /** The kernel's own figure of the same, where it tells. */
  readonly kernelMs?: number;
  /** From the open connection until the server has identified itself. */
  readonly bannerMs?: number;
  /** From there until the server takes the agreed keys into use. */
  readonly kexMs?: number;
  readonly facts: SshFacts;
  /** How much of the time was this process's own computing. */
  readonly ownMs: number;
  /** Why it ended before the keys. */
  readonly failure?: PortFailure;
}

/** Opens a connection and agrees on keys, without logging in. Never rejects for what the network does. */
export async function sshHandshake(
  ports: Pick<Ports, 'streams' | 'clock'>,
  plan: { readonly remote: Endpoint; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<SshHandshake> {
  const exchange = new SshExchange({ software: SOFTWARE });
  const made = await ports.streams.connect(plan);
  if (made.outcome !== 'ok') return { facts: {}, ownMs: 0, failure: made };
  const kernelMs = made.connection.tcpInfo()?.rttMs;
  try {
    return {
      connectMs: made.connectMs,
      ...(kernelMs === undefined ? {} : { kernelMs }),
      ...(await agree(ports, made.connection, { ...plan, exchange })),
    };
  } finally {
    made.connection.close();
  }
}

async function agree(
  ports: Pick<Ports, 'clock'>,
  connection: Connection,
  plan: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly exchange: SshExchange },
): Promise<Omit<SshHandshake, 'connectMs' | 'kernelMs'>> {
  const { exchange, signal, timeoutMs } = plan;
  const { clock } = ports;
  let phaseMs = clock.nowMs();
  let bannerMs: number | undefined;
  let ownMs = 0;
  const soFar = (): Omit<SshHandshake, 'connectMs' | 'kernelMs'> => ({
    facts: exchange.facts,
    ownMs,
    ...(bannerMs === undefined ? {} : { bannerMs }),
  });
  try {
    await connection.write(exchange.hello());
    for (;;) {
      // A server that says a little again and again is not waited for any longer than one that is silent.
      const leftMs = timeoutMs - (clock.nowMs() - phaseMs);
      if (leftMs <= 0) return { ...soFar(), failure: silence(connection, { ...plan, waited: true }) };
      const bytes = await connection.read({ timeoutMs: leftMs, signal });
      const readMs = clock.nowMs();
      if (!bytes) return { ...soFar(), failure: silence(connection, { ...plan, waited: readMs - phaseMs >= timeoutMs }) };
      const answer = exchange.receive(bytes);
      ownMs += clock.nowMs() - readMs;
      if (bannerMs === undefined && exchange.facts.software !== undefined) {
        bannerMs = readMs - phaseMs;
        phaseMs = readMs;
      }
      if (exchange.phase === 'failed') return { ...soFar(), failure: { outcome: 'failed', reason: `no key exchange: ${exchange.failure}` } };
      if (exchange.phase === 'done') {
        await connection.write(exchange.goodbye()).catch(() => undefined);
        return { ...soFar(), kexMs: readMs - phaseMs };
      }
      if (answer.length > 0) await connection.write(answer);
    }
  } catch {
    // A write failed: the peer is gone.
    return { ...soFar(), failure: silence(connection, { ...plan, waited: false }) };
  }
}

/** Why nothing more came. */
function silence(
  connection: Connection,
  plan: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly exchange: SshExchange; readonly waited: boolean },
): PortFailure {
  const { exchange, timeoutMs } = plan;
  const awaited = exchange.phase === 'identification' ? 'identified itself' : 'finished the key exchange';
  if (plan.signal.aborted) return { outcome: 'failed', reason: 'interrupted' };
  if (connection.ended === 'open' || plan.waited) {
    const hint = exchange.phase === 'identification' ? ': the server is overloaded, waits for a name lookup, or is no SSH server' : '';
    return { outcome: 'timeout', reason: `the connection was accepted, but the server has not ${awaited} within ${timeoutMs} ms${hint}` };
  }
  const said = plainText(new TextDecoder('latin1').decode(exchange.unread.subarray(0, 200)), 60);
  const how = connection.ended === 'reset' ? 'reset' : 'closed';
  const busy =
    exchange.phase === 'identification' && said === '' ? ': it has too many connections (MaxStartups), bars this address, or is no SSH server' : '';
  const words = exchange.phase === 'identification' && said !== '' ? ` after it said '${said}'` : '';
  return { outcome: 'failed', reason: `the server ${how} the connection before it had ${awaited}${words}${busy}` };
}
