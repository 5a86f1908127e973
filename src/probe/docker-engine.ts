import type { HttpClient, Ports } from '../base/index.js';
import { askForText, askLocally } from './local-api.js';
import type { LocalAnswer, LocalFailure } from './local-api.js';
import { parseContainers, parseInspection, parseNetwork, parseNetworks, parseUsage, parseVersion } from './docker-format.js';
import type { EngineVersion, Inspection, ListedContainer, ListedNetwork, Usage } from './docker-format.js';

/** Containers that are asked about one by one, the running ones first, and how many at once. */
const INSPECTED_MAX = 100;
const STATS_MAX = 30;
const LANES = 4;
/** Between the two readings that a processor share is made of. */
const STATS_GAP_MS = 1000;

/** Everything that an engine says of itself; what it was asked and did not answer is in `unread`. */
export interface EngineFacts extends EngineVersion {
  readonly socket: string;
  readonly containers: readonly (ListedContainer & Partial<Inspection> & { readonly usage?: Usage; readonly cpuShare?: number })[];
  readonly networks: readonly ListedNetwork[];
  readonly unread: readonly string[];
}

export interface EngineQuestions {
  readonly ports: Pick<Ports, 'web' | 'clock'>;
  readonly socketPath: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly stats: boolean;
}

/** Times one `/_ping` over a connection that may be open already: milliseconds from the request to the first byte. */
export async function pingEngine(
  client: HttpClient,
  { socketPath, timeoutMs, signal }: Omit<EngineQuestions, 'ports' | 'stats'>,
): Promise<{ readonly outcome: 'ok'; readonly ms: number; readonly ownMs: number | undefined } | LocalFailure> {
  const answer = await askForText({ client, socketPath, host: HOST, target: '/_ping', timeoutMs, signal });
  if (answer.outcome !== 'ok') {
    if (answer.why !== 'status') return answer;
    return { ...answer, reason: `what listens on ${socketPath} is no container engine: ${answer.reason}` };
  }
  // Docker writes OK, and so does Podman.
  if (answer.text.trim() !== 'OK')
    return { outcome: 'unsupported', why: 'garbled', reason: `what listens on ${socketPath} answers, but is no container engine` };
  return { outcome: 'ok', ms: answer.http.ttfbMs, ownMs: answer.http.ownMs };
}

/** The engine does not care what it is called. */
const HOST = 'docker';

/** Reads what the engine knows of its containers and networks. @returns the failure when not even its version could be had */
export async function readEngine(questions: EngineQuestions): Promise<EngineFacts | LocalFailure> {
  const lanes = Array.from({ length: LANES }, () => questions.ports.web.client());
  try {
    return await new EngineReading(questions, lanes).read();
  } finally {
    for (const lane of lanes) lane.close();
  }
}

class EngineReading {
  readonly #questions: EngineQuestions;
  readonly #lanes: readonly HttpClient[];
  readonly #unread: string[] = [];
  /** Once it was silent, it is not asked again: each question would take the whole timeout. */
  #silent = false;

  constructor(questions: EngineQuestions, lanes: readonly HttpClient[]) {
    this.#questions = questions;
    this.#lanes = lanes;
  }

  async read(): Promise<EngineFacts | LocalFailure> {
    const { socketPath } = this.#questions;
    const answered = await this.#ask(this.#lanes[0] as HttpClient, '/version');
    if (answered.outcome !== 'ok') return answered;
    const version = parseVersion(answered.value);
    if (!version)
      return { outcome: 'unsupported', why: 'garbled', reason: `what listens on ${socketPath} does not say its version as a container engine does` };
    const listed = await this.#list('/containers/json?all=1', 'containers', parseContainers);
    const networked = await this.#list('/networks', 'networks', parseNetworks);
    if (listed && listed.more > 0) this.#unread.push(`${listed.more} containers beyond the first ${listed.containers.length}`);
    if (networked && networked.more > 0) this.#unread.push(`${networked.more} networks beyond the first ${networked.networks.length}`);
    const containers = await this.#inspect(listed?.containers ?? []);
    const networks = await this.#each(networked?.networks ?? [], 'network', async (network, lane) => {
      const answer = await this.#ask(lane, `/networks/${encodeURIComponent(network.id)}`);
      return answer.outcome === 'ok' ? (parseNetwork(answer.value) ?? network) : undefined;
    });
    const measured = this.#questions.stats ? await this.#withUsage(containers) : containers;
    return { ...version, socket: socketPath, containers: measured, networks, unread: this.#unread };
  }

  async #inspect(listed: readonly ListedContainer[]): Promise<EngineFacts['containers']> {
    // Those that run matter most.
    const order = [...listed].sort((a, b) => Number(b.state === 'running') - Number(a.state === 'running'));
    if (order.length > INSPECTED_MAX)
      this.#unread.push(`health and restarts of ${order.length - INSPECTED_MAX} containers beyond the first ${INSPECTED_MAX}`);
    const inspected = await this.#each(order.slice(0, INSPECTED_MAX), 'container', async (container, lane) => {
      const answer = await this.#ask(lane, `/containers/${container.id}/json`);
      // One that has gone since the list was made is no failure.
      if (answer.outcome !== 'ok') return answer.status === 404 ? container : undefined;
      const found = parseInspection(answer.value);
      return found ? { ...container, ...found, networks: found.networks.length > 0 ? found.networks : container.networks } : undefined;
    });
    return [...inspected, ...order.slice(INSPECTED_MAX)];
  }

  /** Two readings, since one says only how much processor time was taken since the start. */
  async #withUsage(containers: EngineFacts['containers']): Promise<EngineFacts['containers']> {
    const { ports, signal } = this.#questions;
    const running = containers.filter(({ state }) => state === 'running');
    if (running.length > STATS_MAX) this.#unread.push(`resources of ${running.length - STATS_MAX} containers beyond the first ${STATS_MAX}`);
    const chosen = running.slice(0, STATS_MAX);
    const first = await this.#usages(chosen);
    await ports.clock.sleep(STATS_GAP_MS, signal);
    const second = await this.#usages(chosen);
    return containers.map((container) => {
      const [before, after] = [first.get(container.id), second.get(container.id)];
      const usage = after ?? before;
      if (!usage) return container;
      const share = before && after ? shareOf(before, after) : undefined;
      return { ...container, usage, ...(share === undefined ? {} : { cpuShare: share }) };
    });
  }

  async #usages(containers: EngineFacts['containers']): Promise<ReadonlyMap<string, Usage>> {
    const usages = new Map<string, Usage>();
    await this.#each(containers, 'resources', async (container, lane) => {
      const answer = await this.#ask(lane, `/containers/${container.id}/stats?stream=false&one-shot=true`);
      const usage = answer.outcome === 'ok' ? parseUsage(answer.value) : undefined;
      if (usage) usages.set(container.id, usage);
      return usage ? container : undefined;
    });
    return usages;
  }

  /** Does something with each, a few at once; what it gives nothing for stays as it was and counts as unread. */
  async #each<T>(items: readonly T[], what: string, work: (item: T, lane: HttpClient) => Promise<T | undefined>): Promise<T[]> {
    const done = [...items];
    let next = 0;
    let missed = 0;
    const runLane = async (lane: HttpClient): Promise<void> => {
      while (next < items.length) {
        const i = next++;
        const item = items[i] as T;
        const result = this.#silent || this.#questions.signal.aborted ? undefined : await work(item, lane);
        if (result === undefined) missed++;
        else done[i] = result;
      }
    };
    await Promise.all(this.#lanes.map(runLane));
    if (missed > 0 && !this.#questions.signal.aborted)
      this.#unread.push(`${what}: ${missed} of ${items.length} answers did not come or could not be read`);
    return done;
  }

  async #list<T>(target: string, what: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
    const answer = this.#silent ? undefined : await this.#ask(this.#lanes[0] as HttpClient, target);
    if (answer === undefined) return undefined;
    const list = answer.outcome === 'ok' ? parse(answer.value) : undefined;
    if (list === undefined) this.#unread.push(`${what}: ${answer.outcome === 'ok' ? 'the answer is no list' : answer.reason}`);
    return list;
  }

  async #ask(client: HttpClient, target: string): Promise<LocalAnswer> {
    const { socketPath, timeoutMs, signal } = this.#questions;
    const answer = await askLocally({ client, socketPath, host: HOST, target, timeoutMs, signal });
    if (answer.outcome !== 'ok' && answer.why === 'silent') this.#silent = true;
    return answer;
  }
}

/** Processors kept busy between two readings: 1 is one of them all the time. */
function shareOf(before: Usage, after: Usage): number | undefined {
  if (before.cpuNs === undefined || after.cpuNs === undefined || before.atMs === undefined || after.atMs === undefined) return undefined;
  const ms = after.atMs - before.atMs;
  return ms > 0 && after.cpuNs >= before.cpuNs ? (after.cpuNs - before.cpuNs) / 1e6 / ms : undefined;
}
