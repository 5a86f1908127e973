import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { Ajv } from 'ajv';
import { whyNoNamespaces } from './namespaces.js';
import { installed, mustRun } from './processes.js';
import type { Finished } from './processes.js';
import { TAUTLINE } from './tautline.js';
import { FOLDER, HOME, withTuneHost } from './tune-host.js';
import type { TuneHost } from './tune-host.js';

const missing = await Promise.all(
  ['ethtool', 'unshare', 'nsenter', 'setpriv', 'setsid', 'script'].map(async (name) => ((await installed(name)) ? [] : [name])),
);
/** Why these tests cannot run here; false when they can. */
export const whyNoTuneHost: string | false =
  (await whyNoNamespaces()) ?? (missing.flat().length === 0 ? false : `${missing.flat().join(', ')} is missing`);

export const LOWAT = '/proc/sys/net/ipv4/tcp_notsent_lowat';
export const IDLE = '/proc/sys/net/ipv4/tcp_slow_start_after_idle';
export const ECN = '/proc/sys/net/ipv4/tcp_ecn';
export const CHANGES = `${FOLDER}/changes`;

/** Nothing of it reaches beyond the network namespace and the private home; offloads of a virtual interface are left alone. */
export const OWN = `title: Own
about: For one host.
risk: low
settings:
  net.ipv4.tcp_notsent_lowat: 131072
  net.ipv4.tcp_slow_start_after_idle: 0
  offloads: { gro: on }
  ssh-client: 10m
`;
export const KEYS = `title: Keys
about: Two values.
risk: low
settings:
  net.ipv4.tcp_notsent_lowat: 131072
  net.ipv4.tcp_ecn: 1
`;

/** A host with profiles of its own. */
export function onHost(work: (host: TuneHost) => Promise<void>): () => Promise<void> {
  return () =>
    withTuneHost(async (host) => {
      await host.sh(`mkdir -p ${HOME}/.config/tautline/profiles`);
      host.write(`${HOME}/.config/tautline/profiles/own.yaml`, OWN);
      host.write(`${HOME}/.config/tautline/profiles/keys.yaml`, KEYS);
      await work(host);
    });
}

/** The document of a command that ends with `code`; what it prints is what its schema says. */
export async function documentOf<D>(finished: Promise<Finished>, code = 0): Promise<D> {
  const { code: ended, stdout, stderr } = await finished;
  assert.equal(ended, code, stdout + stderr);
  return await checked<D>(stdout);
}

/** What a command says that does nothing: on stderr alone, in a sentence or two. */
export async function refusal(finished: Promise<Finished>, code: number): Promise<string> {
  const { code: ended, stdout, stderr } = await finished;
  assert.deepEqual([ended, stdout], [code, ''], stderr);
  assert.doesNotMatch(stderr, /\n\s+at |Error:|\[object/);
  return stderr;
}

export const journals = (host: TuneHost): string[] => readdirSync(host.path(CHANGES)).filter((name) => name.endsWith('.jsonl'));
export const journalOf = (host: TuneHost): string => host.path(`${CHANGES}/${journals(host)[0] ?? 'none'}`);
export const applyOwn = (host: TuneHost, ...more: readonly string[]): Promise<Finished> => host.tune('apply', 'own', '--yes', '--json', ...more);

/** Waits for what another process does in its own time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  for (const endMs = performance.now() + timeoutMs; !(await holds());) {
    assert.ok(performance.now() < endMs, `not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Process numbers inside of those whose command line has all of these words. */
export async function processes(host: TuneHost, ...words: readonly string[]): Promise<string[]> {
  const list = await host.sh('ps -eo pid=,args= -ww');
  return list
    .split('\n')
    .filter((line) => words.every((word) => line.includes(word)))
    .map((line) => line.trim().split(/\s+/)[0] ?? '');
}
export const guards = (host: TuneHost): Promise<string[]> => processes(host, 'main.js', 'tune guard');

/** A document as its schema says it is, which the program itself prints. */
export async function checked<D>(text: string): Promise<D> {
  const validate = new Ajv({ allErrors: true }).compile(JSON.parse(await mustRun([...TAUTLINE, 'export', 'schema'])) as object);
  const document: unknown = JSON.parse(text);
  assert.ok(validate(document), JSON.stringify(validate.errors));
  return document as D;
}

/** How many changes were begun, where there may be no folder yet. */
export function begun(host: TuneHost): number {
  try {
    return journals(host).filter((name) => readFileSync(host.path(`${CHANGES}/${name}`), 'utf8').includes('\n')).length;
  } catch {
    return 0;
  }
}
