import { parseTarget } from '../base/index.js';
import type { NetworkInterface, Ports, Resolution } from '../base/index.js';
import { assemblePeer, findPeer, findTailnetHost, isAddress, isAliasOf } from '../paths/index.js';
import type { AddressKnowledge, FoundPath, Peer, SshAlias, Tailnet } from '../paths/index.js';
import { askSshSettings, readTailscaleStatus } from '../probe/index.js';
import type { TailscaleStatus } from '../probe/index.js';
import { readSshConfigFiles } from './ssh-config-files.js';

export interface DiscoverPathsRequest {
  /** What the person typed: a peer, a path of a peer, a name, an address. */
  readonly text: string;
  readonly peers: readonly Peer[];
  readonly family?: 4 | 6;
  readonly signal: AbortSignal;
  readonly homeFolder: string;
}

export interface DiscoveredPaths {
  readonly peer: Peer;
  /** What could not be asked, so that there may be more paths. */
  readonly unchecked: readonly Unchecked[];
}

export interface Unchecked {
  readonly what: string;
  readonly why: string;
  readonly hint?: string;
}

/**
 * Who asks for a check waits for this; whoever has not answered by then is left out. Counted from the
 * beginning: when ssh has to have told where an alias leads, when neighbours and when everybody has to have answered, and when what
 * follows from their answers.
 */
const ALIAS_BY_MS = 600;
const MDNS_BY_MS = 650;
const FIRST_BY_MS = 1000;
const SECOND_BY_MS = 1450;
/** With less, a lookup is not worth beginning before the second deadline. */
const LOOKUP_MS_MIN = 300;
/** `ssh -G` starts a program each. */
const ALIASES_MAX = 12;

/**
 * Finds every path to what a person named: what the configuration says, and beside it what ssh, the Tailscale
 * client, mDNS and DNS know under that name. An address, or a place with a port, is taken as it is. Never
 * rejects for what cannot be asked.
 * @throws TautlineError `usage` where the text is no target, or names a path that its peer has not
 */
export async function discoverPaths(ports: Ports, request: DiscoverPathsRequest): Promise<DiscoveredPaths> {
  const named = findPeer(request.peers, request.text);
  const target = named ? undefined : parseTarget(request.text);
  const whole = named
    ? named.path === undefined
    : target !== undefined && target.port === undefined && target.url === undefined && !isAddress(target.host);
  const declared = named ? (named.path ? [named.path] : named.peer.paths) : [];
  const name = named?.peer.name ?? target?.host ?? request.text;
  const gathering = new Gathering(ports, request);
  try {
    const typed = target && !whole ? [gathering.typed(target)] : [];
    const [known, ...found] = await Promise.all([
      gathering.knowledge(whole ? name : undefined),
      ...declared.map((path) => gathering.declared(path)),
      ...typed,
      ...(whole ? gathering.byName(name) : []),
    ]);
    const first = found.flat();
    const second = whole ? await gathering.sshElsewhere(name, first) : [];
    const head = named ? { name, defaultPath: named.path?.name ?? named.peer.defaultPath, ...keyFileOf(named.peer) } : { name };
    const all = [...first, ...second];
    // A name that nobody knows stays what the person typed, so that its check says why.
    const some = all.length > 0 || !target ? all : [{ source: 'typed' as const, target, addresses: [] }];
    return { peer: assemblePeer(head, some, known), unchecked: [...gathering.unchecked] };
  } finally {
    gathering.close();
  }
}

function keyFileOf(peer: Peer): { keyFile?: string } {
  return peer.keyFile === undefined ? {} : { keyFile: peer.keyFile };
}

interface LookupBounds {
  readonly byMs?: number;
  /** Hears why nobody could be asked. */
  readonly onFailure?: (why: string) => void;
}

/** The questions of one discovery: each with its bound, and no name looked up twice. */
class Gathering {
  readonly unchecked: Unchecked[] = [];
  readonly #ports: Ports;
  readonly #request: DiscoverPathsRequest;
  readonly #stop = new AbortController();
  readonly #onAbort = (): void => this.#stop.abort();
  readonly #lookups = new Map<string, Promise<readonly string[]>>();
  readonly #startMs: number;
  #tailnet: Promise<Tailnet | undefined> | undefined;
  #aliases: Promise<readonly SshAlias[]> | undefined;

  constructor(ports: Ports, request: DiscoverPathsRequest) {
    this.#ports = ports;
    this.#request = request;
    this.#startMs = ports.clock.nowMs();
    if (request.signal.aborted) this.#stop.abort();
    request.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Ends what is still being asked; may be called twice. */
  close(): void {
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
  }

  async knowledge(name: string | undefined): Promise<AddressKnowledge> {
    const [interfaces, tailnet] = await Promise.all([
      this.#by<readonly NetworkInterface[]>(
        FIRST_BY_MS,
        () => this.#ports.facts.interfaces().catch(() => []),
        () => [],
      ),
      name === undefined ? undefined : this.#askTailnet(),
    ]);
    const hosts = tailnet ? [...(tailnet.self ? [tailnet.self] : []), ...tailnet.peers] : [];
    return { interfaces, tailnet: hosts.flatMap(({ addresses }) => addresses) };
  }

  async declared(path: Peer['paths'][number]): Promise<FoundPath[]> {
    const { target } = path;
    const base = { ...path, source: 'configuration' as const };
    const addresses = await this.#addressesOf(target.host);
    if (addresses.length > 0 || !(await this.#askAliases()).some(({ alias }) => alias === target.host)) return [{ ...base, addresses }];
    // Nobody but ssh knows the name: what ssh makes of it is what was meant.
    const [found] = await this.#alias(target.host, FIRST_BY_MS);
    if (!found) return [{ ...base, addresses }];
    return [{ ...found, ...base, target: { ...target, host: found.target.host }, sshAlias: target.host }];
  }

  async typed(target: FoundPath['target']): Promise<FoundPath[]> {
    return [{ source: 'typed', target, addresses: await this.#addressesOf(target.host) }];
  }

  /** Everybody who may know the name, side by side. */
  byName(name: string): Promise<FoundPath[]>[] {
    const local = /^[^.]+$/.test(name) ? [this.#mdns(`${name}.local`)] : [];
    return [this.#dns(name), ...local, this.#tailscale(name), this.#ssh(name)];
  }

  /** Aliases that are called otherwise and lead to what was found meanwhile. */
  async sshElsewhere(name: string, found: readonly FoundPath[]): Promise<FoundPath[]> {
    const hosts = new Set([name, ...found.flatMap(({ target, addresses }) => [target.host, ...addresses])].map((host) => host.toLowerCase()));
    const aliases = (await this.#askAliases()).filter(
      ({ alias, hostName }) => !isAliasOf(alias, name) && hosts.has((hostName ?? alias).toLowerCase()),
    );
    return (await Promise.all(aliases.slice(0, ALIASES_MAX).map((each) => this.#alias(each.alias, SECOND_BY_MS)))).flat();
  }

  async #dns(name: string): Promise<FoundPath[]> {
    // A peer of the configuration need not be a name that anybody resolves.
    const configured = this.#request.peers.some((peer) => peer.name === name);
    const onFailure = (why: string): void => void (configured || this.unchecked.push({ what: 'dns', why }));
    const addresses = await this.#addressesOf(name, { onFailure });
    return addresses.length === 0 ? [] : [{ source: /\.local\.?$/i.test(name) ? 'mdns' : 'dns', target: plainTarget(name), addresses }];
  }

  async #mdns(name: string): Promise<FoundPath[]> {
    const addresses = await this.#addressesOf(name, { byMs: MDNS_BY_MS });
    return addresses.length === 0 ? [] : [{ source: 'mdns', target: plainTarget(name), addresses }];
  }

  async #tailscale(name: string): Promise<FoundPath[]> {
    const tailnet = await this.#askTailnet();
    const host = tailnet && findTailnetHost(tailnet, name);
    const addresses = (host?.addresses ?? []).filter((address) => this.#wanted(address));
    const [address] = addresses;
    if (!host || address === undefined) return [];
    if (host.online) return [{ source: 'tailscale', target: plainTarget(address), addresses }];
    const hint = `see whether Tailscale runs on ${host.name}`;
    this.unchecked.push({ what: 'tailscale', why: `the Tailscale client knows ${host.name} (${address}), but says that it is offline`, hint });
    return [];
  }

  async #ssh(name: string): Promise<FoundPath[]> {
    const aliases = (await this.#askAliases()).filter(({ alias }) => isAliasOf(alias, name)).slice(0, ALIASES_MAX);
    return (await Promise.all(aliases.map((each) => this.#alias(each.alias, ALIAS_BY_MS)))).flat();
  }

  async #alias(alias: string, byMs: number): Promise<FoundPath[]> {
    const { family } = this.#request;
    const place = { name: alias, ...(family === undefined ? {} : { family }) };
    const answer = await this.#by(
      byMs,
      (timeoutMs) => askSshSettings(this.#ports, place, { timeoutMs, signal: this.#ending() }),
      () => ({ outcome: 'timeout' as const, reason: `'ssh -G ${alias}' did not answer in time: look for 'Match exec' in the ssh configuration` }),
    );
    if (answer.outcome !== 'ok') {
      if (!this.unchecked.some(({ what, why }) => what === 'ssh' && why === answer.reason)) this.unchecked.push({ what: 'ssh', why: answer.reason });
      return [];
    }
    const { host, proxy } = answer.settings;
    if (proxy !== undefined) return [{ source: 'ssh', target: plainTarget(alias), addresses: [], sshAlias: alias, proxied: true }];
    const addresses = await this.#addressesOf(host, { onFailure: (why) => this.unchecked.push({ what: `ssh alias ${alias}`, why }) });
    return addresses.length === 0 ? [] : [{ source: 'ssh', target: plainTarget(host), addresses, sshAlias: alias }];
  }

  #askTailnet(): Promise<Tailnet | undefined> {
    return (this.#tailnet ??= this.#readTailnet());
  }

  async #readTailnet(): Promise<Tailnet | undefined> {
    const status: TailscaleStatus = await this.#by(
      FIRST_BY_MS,
      (timeoutMs) => readTailscaleStatus(this.#ports, { timeoutMs, signal: this.#ending() }),
      () => ({ outcome: 'timeout', reason: 'the Tailscale client did not answer in time', peers: [], health: [] }),
    );
    // Who has no Tailscale lacks nothing.
    if (status.outcome === 'unsupported') return undefined;
    if (status.outcome !== 'ok') this.unchecked.push({ what: 'tailscale', why: status.reason ?? 'the Tailscale client does not answer' });
    else if (status.state !== undefined && status.state !== 'Running')
      this.unchecked.push({ what: 'tailscale', why: `the Tailscale client is not connected (${status.state})`, hint: "'tailscale up' connects it" });
    return { self: status.self, peers: status.peers };
  }

  #askAliases(): Promise<readonly SshAlias[]> {
    return (this.#aliases ??= this.#readAliases());
  }

  async #readAliases(): Promise<readonly SshAlias[]> {
    const found = await this.#by(
      ALIAS_BY_MS,
      () => readSshConfigFiles(this.#ports.files, this.#request.homeFolder),
      () => ({ aliases: [], unread: [{ path: '~/.ssh/config', why: 'reading ~/.ssh/config took too long' }] }),
    );
    for (const { why } of found.unread) this.unchecked.push({ what: 'ssh', why });
    return found.aliases;
  }

  /** The addresses of a name, of the family that was asked for; `onFailure` hears why nobody could be asked. */
  async #addressesOf(host: string, options: LookupBounds = {}): Promise<readonly string[]> {
    if (isAddress(host)) return [host];
    const key = host.toLowerCase();
    const lookup = this.#lookups.get(key) ?? this.#lookup(host, options);
    this.#lookups.set(key, lookup);
    return lookup;
  }

  async #lookup(host: string, { byMs, onFailure }: LookupBounds): Promise<readonly string[]> {
    const { family } = this.#request;
    const found = await this.#by<Resolution>(
      byMs ?? (this.#elapsedMs() < FIRST_BY_MS - LOOKUP_MS_MIN ? FIRST_BY_MS : SECOND_BY_MS),
      (timeoutMs) => this.#ports.names.lookup(host, { ...(family === undefined ? {} : { family }), timeoutMs, signal: this.#ending() }),
      () => ({ outcome: 'timeout', reason: `the lookup of '${host}' did not end in time`, elapsedMs: this.#elapsedMs() }),
    );
    if (found.outcome === 'ok') return found.addresses.map((each) => each.host);
    if (found.outcome !== 'unknown' && !this.#stop.signal.aborted) onFailure?.(found.reason);
    return [];
  }

  #wanted(address: string): boolean {
    const { family } = this.#request;
    return family === undefined || address.includes(':') === (family === 6);
  }

  /** One a question: many listeners on one signal look like a leak. */
  #ending(): AbortSignal {
    return AbortSignal.any([this.#stop.signal]);
  }

  #elapsedMs(): number {
    return this.#ports.clock.nowMs() - this.#startMs;
  }

  /** What is not there in time is left out; what was asked hears of the end by its bound or its signal. */
  async #by<T>(byMs: number, ask: (timeoutMs: number) => Promise<T>, late: () => T): Promise<T> {
    const leftMs = byMs - this.#elapsedMs();
    if (leftMs <= 0 || this.#stop.signal.aborted) return late();
    const done = new AbortController();
    const timer = this.#ports.clock.sleep(leftMs, done.signal).then(late);
    try {
      return await Promise.race([ask(leftMs), timer]);
    } finally {
      done.abort();
    }
  }
}

function plainTarget(host: string): FoundPath['target'] {
  return { host, text: host };
}
