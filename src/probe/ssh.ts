import type { Endpoint } from '../base/index.js';
import type { Measurement, MeasurementError, Outcome, SshDetails } from '../results/index.js';
import { summarize } from '../stats/index.js';
import type { SshFacts } from '../wire/index.js';
import { attemptAll, verdictOf } from './attempts.js';
import type { Attempt, Attempts, PortFailure } from './attempts.js';
import { candidatesOf } from './candidates.js';
import { makerOf, ownTimeError, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { parseCount, samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';
import { sshHandshake } from './ssh-handshake.js';
import type { SshHandshake } from './ssh-handshake.js';
import { sshLogin, sshOverMaster } from './ssh-login.js';
import type { SshRun } from './ssh-login.js';
import { lookAtSetup } from './ssh-setup.js';
import type { SshSetup } from './ssh-setup.js';
import { askSshSettings, askSshUser, sshCommand } from './ssh-settings.js';
import type { SshAnswer, SshPlace, SshSettings } from './ssh-settings.js';

export interface SshOptions extends CommonOptions {
  /** Logins, and commands over a running master. */
  readonly logins: number;
  readonly sshConfig?: string;
}

/**
 * A server counts connections that do not log in: OpenSSH 9.8 and later bars an address that makes about
 * 15 of them at once for a while (PerSourcePenalties), so that a run makes a few.
 */
const SAMPLING: Sampling = { count: 5, intervalMs: 200 };
const LOGINS = 3;
const LOGIN_MS_EXPECTED = 400;
const SSH_PORT = 22;
/** Reading the configuration takes some ms, unless it runs programs (`Match exec`). */
const SETTINGS_MS = 2000;

/**
 * Fresh SSH connections by our own key exchange, phase by phase and without logging in; then whole logins by
 * the ssh program where these need no password, and commands over a running master. It never asks a person
 * anything and changes nothing, here or there.
 */
export const sshProbe: Probe<SshOptions> = {
  name: 'ssh',
  summary: 'time to connect, exchange keys and log in by SSH; multiplexing and keys',
  flags: [
    {
      key: 'logins',
      flag: '--logins <n>',
      help: `logins to make by the ssh program, 0 for none (default ${LOGINS})`,
      parse: (text) => (text.trim() === '0' ? 0 : parseCount(text)),
    },
    { key: 'sshConfig', flag: '--ssh-config <file>', help: "ssh's configuration file, instead of ~/.ssh/config", parse: (text) => text },
  ],
  defaults: { timeoutMs: 5000, logins: LOGINS },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs + options.logins * LOGIN_MS_EXPECTED;
  },
  run: runSshProbe,
};

type Request = ProbeRequest<SshOptions>;

async function runSshProbe(request: Request): Promise<Measurement[]> {
  const { options, ports, signal, target } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('ssh', request);
  const place: SshPlace = {
    name: target.host,
    ...(target.port === undefined ? {} : { port: target.port }),
    ...(options.family === undefined ? {} : { family: options.family }),
    ...(options.sshConfig === undefined ? {} : { configFile: options.sshConfig }),
  };
  request.onProgress('reading the ssh configuration', 0);
  const limits = { timeoutMs: Math.min(SETTINGS_MS, options.timeoutMs), signal };
  const [answer, user] = await Promise.all([askSshSettings(ports, place, limits), askSshUser(ports, place, limits)]);
  const settings = answer.outcome === 'ok' ? answer.settings : undefined;
  const fresh = settings?.proxy === undefined ? await measureFresh(request, { settings, sampling }) : throughProxy(settings.proxy);
  const setup = settings && !signal.aborted ? await lookAtSetup(ports, { place, settings, user, signal }) : undefined;
  const known = { place, settings, facts: fresh.facts, setup, remote: fresh.remote };
  const program = await measureProgram(request, { place, answer, setup, blocked: fresh.blocked });
  const results = [...fresh.results, ...program];
  return results.map(({ metric, rest }, i) => {
    // What was found on this host stands once: beside the login, else with the last of the figures.
    const withSetup = metric === 'ssh' || (program.length === 0 && i === results.length - 1);
    return make(metric, { ...rest, details: { ...networkDetails(metric, known), ...(withSetup ? setupDetails(known) : {}) } });
  });
}

interface Result {
  readonly metric: string;
  readonly rest: Parameters<Make>[1];
}

// --- The key exchange by our own means -------------------------------------------------------

interface Fresh {
  readonly results: readonly Result[];
  readonly facts: SshFacts;
  readonly remote?: Endpoint;
  /** Why no login need be tried: nothing that speaks SSH answers. */
  readonly blocked?: string;
}

function throughProxy(proxy: string): Fresh {
  const reason = `the connection goes through a ${proxy.split(' ')[0] ?? 'proxy'}, so that only the whole login can be timed`;
  return { facts: {}, results: [{ metric: 'ssh.kex', rest: { outcome: 'unsupported', reason } }] };
}

async function measureFresh(request: Request, plan: { settings: SshSettings | undefined; sampling: Sampling }): Promise<Fresh> {
  const { options, ports, signal, target, seed } = request;
  const host = plan.settings?.host ?? target.host;
  const found = await candidatesOf(request, { host, port: plan.settings?.port ?? target.port ?? SSH_PORT });
  if (found.outcome !== 'ok') return { facts: {}, results: [{ metric: 'ssh.connect', rest: found }], blocked: found.reason };
  const tries: SshHandshake[] = [];
  const attempt = async (remote: Endpoint, index: number): Promise<Attempt<SshHandshake>> => {
    const handshake = await sshHandshake(ports, { remote, timeoutMs: options.timeoutMs, signal });
    // Of several addresses the first that works is kept to, and counts; a try that was interrupted does not.
    if (!signal.aborted && (tries[index] === undefined || !handshake.failure)) tries[index] = handshake;
    return handshake.failure ?? { outcome: 'ok', value: handshake };
  };
  const attempts = await attemptAll({ remotes: found.remotes, sampling: plan.sampling, request, doing: 'exchanging keys with', attempt });
  const connect = phaseOf(attempts, tries, ({ connectMs }) => connectMs);
  const banner = phaseOf(
    attempts,
    tries.filter(({ connectMs }) => connectMs !== undefined),
    ({ bannerMs }) => bannerMs,
  );
  const kex = phaseOf(
    attempts,
    tries.filter(({ bannerMs }) => bannerMs !== undefined),
    ({ kexMs }) => kexMs,
  );
  const passedOver = Object.entries(attempts.passedOver).map(([address, why]) => `${address} was passed over: ${why}`);
  const error = ownTimeError(tries.flatMap(({ kexMs, ownMs }) => (kexMs === undefined ? [] : [ownMs])));
  const results = [
    { metric: 'ssh.connect', phase: connect, what: 'connection', error: kernelError(tries) },
    { metric: 'ssh.banner', phase: banner, what: 'identification', error: kernelError(tries) },
    { metric: 'ssh.kex', phase: kex, what: 'key exchange', error },
  ].map(({ metric, phase, what, error: own }): Result => {
    const verdict = phase.sent === 0 ? notReached(attempts) : verdictOf(phase, what);
    const reason = [verdict.reason, ...passedOver].filter((text) => text !== undefined).join('; ');
    return {
      metric,
      rest: { ...verdict, ...withSummary(phase.values, seed), ...(phase.values.length > 0 ? own : {}), ...(reason === '' ? {} : { reason }) },
    };
  });
  const failure = attempts.failures.at(-1);
  const facts = (attempts.values.at(-1) ?? tries.findLast((each) => each.bannerMs !== undefined))?.facts ?? {};
  const answers = tries.some(({ bannerMs }) => bannerMs !== undefined);
  return { facts, results, remote: attempts.remote, ...(answers ? {} : { blocked: failure?.reason ?? 'interrupted' }) };
}

/** How late this process sees what comes: by how much its time of the TCP handshake differs from the kernel's. */
function kernelError(tries: readonly SshHandshake[]): { error?: MeasurementError } {
  const late = tries.flatMap(({ connectMs, kernelMs }) => (connectMs === undefined || !kernelMs ? [] : [Math.abs(connectMs - kernelMs)]));
  const more = summarize(late);
  if (!more) return {};
  const from = ["timed by this process; the difference to the kernel's own round-trip time of the handshake (median)"];
  return { error: { value: more.median, unit: 'ms', from } };
}

/** The tries that came as far as a phase, and what became of them in it. */
function phaseOf(
  attempts: Attempts<unknown>,
  reached: readonly SshHandshake[],
  pick: (handshake: SshHandshake) => number | undefined,
): Attempts<number> {
  const values = reached.map(pick).filter((ms) => ms !== undefined);
  const failures = reached.filter((handshake) => pick(handshake) === undefined).flatMap(({ failure }): PortFailure[] => (failure ? [failure] : []));
  const earlier = attempts.sent - reached.length;
  return { ...attempts, values, failures, sent: reached.length, planned: Math.max(reached.length, attempts.planned - earlier) };
}

function notReached(attempts: Attempts<unknown>): { outcome: Outcome; reason: string; partial?: true } {
  const failure = attempts.failures[0];
  if (!failure) return { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true };
  return { outcome: 'unchecked', reason: `not reached: ${failure.reason}` };
}

// --- By the ssh program ----------------------------------------------------------------------

async function measureProgram(
  request: Request,
  plan: { place: SshPlace; answer: SshAnswer; setup: SshSetup | undefined; blocked: string | undefined },
): Promise<Result[]> {
  const { answer, setup, place, blocked } = plan;
  const { options, ports, signal } = request;
  if (options.logins === 0) return [];
  const login = (outcome: Exclude<Outcome, 'ok'>, reason: string): Result[] => [{ metric: 'ssh', rest: { outcome, reason } }];
  if (answer.outcome === 'missing') return login('unsupported', answer.reason);
  if (signal.aborted) return login('unchecked', 'interrupted before a login was tried');
  if (blocked !== undefined) return login('unchecked', `no login was tried: ${blocked}`);
  if (answer.outcome !== 'ok' || !setup) return login('unchecked', answer.outcome === 'ok' ? 'interrupted' : `no login was tried: ${answer.reason}`);
  const shared = { place, settings: answer.settings, timeoutMs: options.timeoutMs, signal };
  const startMs = answer.elapsedMs;
  request.onProgress(`logging in at ${place.name}`, 0.5);
  const fresh = await repeat(request, () => sshLogin(ports, shared));
  request.onProgress(`running a command over the master of ${place.name}`, 0.9);
  const { socket, running } = setup.multiplexing;
  const over = socket !== undefined && running ? await repeat(request, () => sshOverMaster(ports, { ...shared, socket })) : undefined;
  return [
    { metric: 'ssh', rest: withRemarks(runResult(request, fresh, { what: 'login', startMs }), setup.remarks) },
    { metric: 'ssh.multiplexed', rest: over ? runResult(request, over, { what: 'command', startMs }) : noMaster(place, setup) },
  ];
}

/** A refused login is not repeated: servers count those, and bar who makes many. */
async function repeat(request: Request, run: () => Promise<SshRun>): Promise<readonly SshRun[]> {
  const runs: SshRun[] = [];
  for (let i = 0; i < request.options.logins && !request.signal.aborted; i++) {
    const result = await run();
    runs.push(result);
    if (result.outcome !== 'ok') break;
  }
  return runs;
}

function runResult(request: Request, runs: readonly SshRun[], about: { what: string; startMs: number }): Result['rest'] {
  const samples = runs.flatMap((run) => (run.outcome === 'ok' ? [run.elapsedMs] : []));
  const failed = runs.find((run) => run.outcome !== 'ok');
  const { logins } = request.options;
  const summary = withSummary(samples, request.seed);
  const error: MeasurementError = {
    value: about.startMs,
    unit: 'ms',
    from: ['starting the ssh program and reading its configuration, which every login needs'],
  };
  if (request.signal.aborted) {
    const reason = `interrupted after ${samples.length} of ${logins} ${about.what}s`;
    return { outcome: samples.length > 0 ? 'ok' : 'unchecked', reason, partial: true, ...summary, ...(samples.length > 0 ? { error } : {}) };
  }
  if (!failed) return { outcome: 'ok', ...summary, error };
  if (samples.length === 0) return { outcome: failed.outcome, reason: failed.reason };
  return {
    outcome: failed.outcome,
    reason: `after ${samples.length} of ${logins} ${about.what}s: ${failed.reason}`,
    partial: true,
    ...summary,
    error,
  };
}

function noMaster(place: SshPlace, setup: SshSetup): Result['rest'] {
  const { configured, socket } = setup.multiplexing;
  if (configured && socket !== undefined) {
    const hint = `'${sshCommand(place, '-fNM')}' starts one`;
    return {
      outcome: 'unchecked',
      reason: `multiplexing is set up (${socket}), but no master is running: ${hint}, and so does a login with 'ControlMaster auto'`,
    };
  }
  const lines = "'ControlMaster auto', 'ControlPath ~/.ssh/cm-%C' and 'ControlPersist 10m'";
  return { outcome: 'unchecked', reason: `multiplexing is not set up: with ${lines} in ~/.ssh/config every further command saves the login` };
}

function withRemarks(rest: Result['rest'], remarks: readonly string[]): Result['rest'] {
  if (remarks.length === 0) return rest;
  return { ...rest, reason: [rest.reason, ...remarks].filter((text) => text !== undefined).join('; ') };
}

// --- What is known ---------------------------------------------------------------------------

interface Known {
  readonly place: SshPlace;
  readonly settings: SshSettings | undefined;
  readonly facts: SshFacts;
  readonly setup: SshSetup | undefined;
  readonly remote: Endpoint | undefined;
}

/** What a phase has shown of the server. */
function networkDetails(metric: string, { facts, settings, place, remote }: Known): SshDetails {
  const { software, kex, hostKey, hostKeyBits, fingerprint, signature, kexPreferred } = facts;
  if (metric === 'ssh.connect') return defined({ host: remote?.host ?? settings?.host ?? place.name, port: remote?.port ?? settings?.port });
  if (metric === 'ssh.banner') return defined({ software });
  if (metric !== 'ssh.kex') return {};
  return defined({ kex, kexPreferred: kexPreferred === kex ? undefined : kexPreferred, hostKey, hostKeyBits, fingerprint, signature });
}

/** What this host's ssh would do, and what it keeps. */
function setupDetails({ place, settings, setup }: Known): SshDetails {
  if (!settings) return {};
  return defined({
    alias: settings.host === place.name ? undefined : place.name,
    user: settings.user,
    host: settings.host,
    port: settings.port,
    proxy: settings.proxy,
    compression: settings.compression,
    multiplexing: setup?.multiplexing,
    staleSockets: setup?.staleSockets,
    keys: setup?.keys,
  });
}

type Possibly<T> = { readonly [K in keyof T]: T[K] | undefined };

function defined(details: Partial<Possibly<Required<SshDetails>>>): SshDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as SshDetails;
}
