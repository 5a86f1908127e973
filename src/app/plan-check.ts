import { formatEndpoint } from '../base/index.js';
import type { Target } from '../base/index.js';
import type { Depth } from './config-schema.js';
import type { HostFindings, TargetFindings } from './discover.js';

/** One probe run of a check. */
export interface Step {
  /** The subject that it belongs to, by its place in the document. */
  readonly subject: number;
  readonly probe: string;
  readonly target: Target;
  readonly path: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Options that follow from what was measured before it. */
  readonly optionsNow?: () => Readonly<Record<string, unknown>>;
  /** Asked right before: whether what was measured until then makes it worth running. */
  readonly onlyIf?: () => boolean;
  /** Which of its path's turns it is, where several paths take turns. */
  readonly turn?: number;
  /** What is being done, for the progress line: `ping 10.0.0.1`. */
  readonly label: string;
  /** What to try when this gets no answer. */
  readonly otherwise?: readonly Step[];
}

/**
 * Steps that run side by side. Only latency probes share a stage, and few of them: beside a
 * throughput test they would measure its queues, and many at once would measure each other.
 */
export type Stage = readonly Step[];

/** How long each thing may take, in milliseconds; 0 leaves it out. Sums to the depth's budget for one target. */
interface Budget {
  readonly latencyMs: number;
  readonly connects: number;
  readonly requests: number;
  readonly throughputMs: number;
  readonly omitMs: number;
  readonly bothMs: number;
  readonly responsivenessMs: number;
  readonly selfLatencyMs: number;
  readonly selfThroughputMs: number;
  /** How long to wait for one answer: what is lost must not eat the budget. */
  readonly timeoutMs: number;
}

const BUDGETS: Readonly<Record<Depth, Budget>> = {
  quick: {
    latencyMs: 800,
    connects: 8,
    requests: 4,
    throughputMs: 1000,
    omitMs: 200,
    bothMs: 0,
    responsivenessMs: 0,
    selfLatencyMs: 400,
    selfThroughputMs: 700,
    timeoutMs: 1000,
  },
  default: {
    latencyMs: 2000,
    connects: 15,
    requests: 6,
    throughputMs: 2500,
    omitMs: 500,
    bothMs: 0,
    responsivenessMs: 4500,
    selfLatencyMs: 1500,
    selfThroughputMs: 4000,
    timeoutMs: 2000,
  },
  thorough: {
    latencyMs: 8000,
    connects: 40,
    requests: 15,
    throughputMs: 10_000,
    omitMs: 1000,
    bothMs: 8000,
    responsivenessMs: 15_000,
    selfLatencyMs: 6000,
    selfThroughputMs: 16_000,
    timeoutMs: 3000,
  },
};

/** Nothing is measured for less than this, however many paths share the budget. */
const LATENCY_MS_MIN = 500;
const THROUGHPUT_MS_MIN = 1000;
const RESPONSIVENESS_MS_MIN = 4500;
const CONNECT_INTERVAL_MS = 50;
/** Unprivileged users may send a ping every 2 ms (ping(8)); a gateway's processor may not like it. */
const PING_INTERVAL_MS = 20;
const ECHO_INTERVAL_MS = 5;
/** Where nothing answered the first question, a few more tries tell loss from silence. */
const SILENT_TRIES = 3;
const SILENT_TRIES_QUICK = 2;
const SILENT_TIMEOUT_MS = 1000;
/** A gateway is on this host's own network. */
const GATEWAY_TIMEOUT_MS = 400;

export interface TargetPlanOptions {
  readonly depth: Depth;
  /** How many peers divide the budget. */
  readonly sharedBy: number;
  /** How many paths to this peer are measured; what is measured in turns is not divided among them. */
  readonly paths?: number;
}

/** What to run against a target, from what it answers to. */
export function planTarget(subject: number, found: TargetFindings, options: TargetPlanOptions): Stage[] {
  if (!found.address) return [];
  const budget = amongPaths(shared(BUDGETS[options.depth], options.sharedBy), options.paths ?? 1);
  const at = stepMaker(subject, found.named.path);
  const host = found.named.target;
  const tcpTarget = withPort(host, found.tcp.port);
  const named = host.host !== found.address.host;
  const pingStep = at('ping', { ...host, text: host.host }, rhythm(budget, PING_INTERVAL_MS));
  const dns = named ? [at('dns', { text: host.host, host: host.host }, { ...requests(budget), count: Math.min(5, budget.requests) })] : [];
  if (found.serve.answers === 'refused') {
    const serve = withPort(host, found.serve.port);
    return [[pingStep, at('echo', serve, { count: 1 })], [at('tcp', tcpTarget, connects(budget))], dns].filter(some);
  }
  if (found.serve.answers === 'yes') {
    const serve = withPort(host, found.serve.port);
    const http = { ...serve, url: `http://${formatEndpoint({ host: host.host, port: found.serve.port })}/small` };
    const up = { streams: 1, durationMs: budget.throughputMs, omitMs: budget.omitMs };
    return [
      [pingStep, at('echo', serve, rhythm(budget, ECHO_INTERVAL_MS))],
      [at('tcp', serve, connects(budget)), ...dns],
      [at('http', { ...http, text: http.url }, requests(budget))],
      [at('throughput', serve, { ...up, direction: 'down' })],
      [at('throughput', serve, { ...up, direction: 'up' })],
      budget.bothMs > 0 ? [at('throughput', serve, { ...up, direction: 'both', durationMs: budget.bothMs })] : [],
      budget.responsivenessMs > 0 ? [at('responsiveness', serve, { durationMs: budget.responsivenessMs })] : [],
    ].filter(some);
  }
  if (!found.tcp.answers) {
    const count = options.depth === 'quick' ? SILENT_TRIES_QUICK : SILENT_TRIES;
    const tries = { count, intervalMs: CONNECT_INTERVAL_MS, timeoutMs: SILENT_TIMEOUT_MS };
    return [[pingStep, at('tcp', tcpTarget, tries)], dns].filter(some);
  }
  return [
    [pingStep],
    [at('tcp', tcpTarget, connects(budget)), ...dns],
    found.tls ? [at('tls', tcpTarget, requests(budget))] : [],
    found.url === undefined ? [] : [at('http', { ...tcpTarget, url: found.url, text: found.url }, requests(budget))],
  ].filter(some);
}

/** The subjects of a check without a target, in this order: interfaces, gateways, resolvers, this host itself. */
export function planHost(found: HostFindings, options: { depth: Depth; firstSubject: number }): Stage[] {
  const budget = BUDGETS[options.depth];
  let subject = options.firstSubject + found.interfaces.length;
  const gateways = found.gateways.map((route) => planGateway(subject++, route.gateway, budget));
  const resolvers = found.resolvers.map((address) =>
    stepMaker(subject++, 'default')('dns', literal(address), { server: address, ...requests(budget), timeoutMs: budget.timeoutMs }),
  );
  return [gateways, resolvers].filter(some);
}

/** Many routers drop pings and yet resolve names or serve a web page. */
function planGateway(subject: number, gateway: string, budget: Budget): Step {
  const at = stepMaker(subject, 'default');
  const tries = { count: SILENT_TRIES, intervalMs: CONNECT_INTERVAL_MS, timeoutMs: GATEWAY_TIMEOUT_MS };
  const otherwise = [
    at('dns', literal(gateway), { server: gateway, retries: 0, ...tries }),
    at('tcp', withPort(literal(gateway), 80), tries),
    at('tcp', withPort(literal(gateway), 443), tries),
  ];
  return { ...at('ping', literal(gateway), { ...rhythm(budget, PING_INTERVAL_MS), timeoutMs: SILENT_TIMEOUT_MS }), otherwise };
}

/** This host against itself: what its own processor and kernel can do, which no path from it can exceed. */
export function planSelf(subject: number, serve: Target, depth: Depth): Stage[] {
  const budget = BUDGETS[depth];
  const at = stepMaker(subject, 'loopback', 'this host itself');
  const up = { streams: 1, durationMs: budget.selfThroughputMs, omitMs: budget.omitMs };
  return [
    [at('echo', serve, rhythm({ ...budget, latencyMs: budget.selfLatencyMs }, ECHO_INTERVAL_MS))],
    [at('throughput', serve, { ...up, direction: 'down' })],
    [at('throughput', serve, { ...up, direction: 'up' })],
  ];
}

function shared(budget: Budget, by: number): Budget {
  if (by <= 1) return budget;
  const part = (ms: number, least: number): number => (ms === 0 ? 0 : Math.max(least, Math.round(ms / by)));
  return {
    ...budget,
    latencyMs: part(budget.latencyMs, LATENCY_MS_MIN),
    throughputMs: part(budget.throughputMs, THROUGHPUT_MS_MIN),
    omitMs: Math.min(budget.omitMs, 300),
    bothMs: part(budget.bothMs, THROUGHPUT_MS_MIN),
    responsivenessMs: by > 2 ? 0 : part(budget.responsivenessMs, RESPONSIVENESS_MS_MIN),
  };
}

/** What takes long and is not compared is left out where several paths would each take their part of it. */
function amongPaths(budget: Budget, paths: number): Budget {
  if (paths <= 1) return budget;
  const responsivenessMs = Math.round(budget.responsivenessMs / paths);
  return {
    ...budget,
    bothMs: budget.bothMs === 0 ? 0 : Math.max(THROUGHPUT_MS_MIN, Math.round(budget.bothMs / paths)),
    responsivenessMs: responsivenessMs < RESPONSIVENESS_MS_MIN ? 0 : responsivenessMs,
  };
}

/** `name` is what the progress line calls the target. */
function stepMaker(subject: number, path: string, name?: string) {
  return (probe: string, target: Target, options: Readonly<Record<string, unknown>>): Step => ({
    subject,
    probe,
    target,
    path,
    options,
    label: `${label(probe, options)} ${name ?? target.text}`,
  });
}

function label(probe: string, options: Readonly<Record<string, unknown>>): string {
  return typeof options['direction'] === 'string' ? `${probe} ${options['direction']}` : probe;
}

function rhythm(budget: Budget, intervalMs: number): { count: number; intervalMs: number; timeoutMs: number } {
  return { count: Math.round(budget.latencyMs / intervalMs), intervalMs, timeoutMs: budget.timeoutMs };
}

function connects(budget: Budget): { count: number; intervalMs: number; timeoutMs: number } {
  return { count: budget.connects, intervalMs: CONNECT_INTERVAL_MS, timeoutMs: budget.timeoutMs };
}

function requests(budget: Budget): { count: number; intervalMs: number; timeoutMs: number } {
  return { count: budget.requests, intervalMs: CONNECT_INTERVAL_MS, timeoutMs: 2 * budget.timeoutMs };
}

function withPort(target: Target, port: number): Target {
  return { host: target.host, port, text: formatEndpoint({ host: target.host, port }) };
}

function literal(address: string): Target {
  return { text: address, host: address };
}

function some(stage: Stage): boolean {
  return stage.length > 0;
}
