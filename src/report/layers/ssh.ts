import type { Measurement, SshDetails } from '../../results/index.js';
import { type Layer, bad, counted, factsBlock, list, notesBlock } from './layer.js';

/** One server and the set-up to reach it, put together from the measurements that each tell a part. */
export function sshLayer(measurements: readonly Measurement[]): Layer | undefined {
  const told = measurements.filter(({ details }) => details !== undefined && Object.keys(details).length > 0);
  if (told.length === 0) return undefined;
  const found = Object.assign({}, ...told.map(({ details }) => details)) as Partial<SshDetails>;
  const { alias, user, host, port, software, proxy, compression, multiplexing, staleSockets = [], keys = [] } = found;
  const troubled = keys.filter(({ problem }) => problem !== undefined);
  const shared = multiplexing && (multiplexing.configured ? `set up, ${multiplexing.running ? 'running' : 'not running'}` : 'not set up');
  const place = `${[user, host].filter((part) => part !== undefined).join('@')}${port === undefined ? '' : `:${port}`}`;
  return {
    title: `SSH${place === '' ? '' : ` as ${place}`}`,
    of: told,
    short: `ssh: ${[
      software ?? (told.every(({ outcome }) => outcome !== 'ok') ? (told[0]?.outcome ?? '') : place),
      shared === undefined ? undefined : `shared connection ${shared}`,
      staleSockets.length > 0 ? counted(staleSockets.length, 'stale socket') : undefined,
      troubled.length > 0 ? `${counted(troubled.length, 'key')} with a problem` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join(', ')}`,
    blocks: [
      ...factsBlock([
        ['alias', alias === host ? undefined : alias],
        ['server', software],
        ['key exchange', found.kex],
        ['server prefers', found.kexPreferred],
        ['host key', hostKeyOf(found)],
        ['fingerprint', found.fingerprint],
        ['through', proxy],
        ['compression', compression === undefined ? undefined : compression ? 'on' : 'off'],
        ['shared connection', shared && [shared, keptFor(multiplexing.persist)].filter((part) => part !== undefined).join(', ')],
        ['its socket', multiplexing?.socket],
        ['stale sockets', staleSockets.length > 0 ? bad(list(staleSockets) ?? '') : undefined],
        ['keys', list(keys.filter(({ problem }) => problem === undefined).map(({ path }) => path))],
      ]),
      ...notesBlock(troubled.map(({ path, problem = '', fix }) => bad(`${path}: ${problem}${fix === undefined ? '' : `; ${fix}`}`))),
    ],
  };
}

/** `ControlPersist`: seconds where it names no unit; `yes` keeps it for ever. */
function keptFor(persist: string | undefined): string | undefined {
  if (persist === undefined || persist === 'no') return undefined;
  return persist === 'yes' ? 'kept' : `kept for ${/^\d+$/.test(persist) ? `${persist} s` : persist}`;
}

function hostKeyOf({ hostKey, hostKeyBits, signature }: Partial<SshDetails>): string | undefined {
  if (hostKey === undefined) return undefined;
  const size = hostKeyBits === undefined ? '' : `, ${hostKeyBits} bit`;
  return `${hostKey}${size}${signature === 'right' ? ', proven by its signature' : signature === 'unchecked' ? ', not proven' : ''}`;
}
