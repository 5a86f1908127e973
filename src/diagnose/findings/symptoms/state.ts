import type { DockerDetails, LinkDetails, Measurement, MtuDetails, SshDetails, TailscaleDetails } from '../../../results/index.js';
import { detailsOf } from '../../path-figures.js';
import type { Context } from '../cause.js';
import { all, find } from '../figures.js';
import type { Symptom } from './symptom.js';

/*
 * Things that are not a figure gone bad but a state that is known to cost something. Each is asked of its cause: the
 * symptom says that there is something to judge.
 */

export const linkState: Symptom<'link-state'> = {
  id: 'link-state',
  title: 'a link is not what it could be',
  why: 'asked of every link that carries a path: speed and duplex against what both sides of the cable can do, errors, drops',
  kind: 'question',
  notice: ({ path }) =>
    path.near?.link || path.far?.link || path.measurements.some((each) => detailsOf<LinkDetails>(each).link !== undefined)
      ? [{ evidence: { text: `the links of both ends were read` } }]
      : [],
};

export const smallMtu: Symptom<'small-path-mtu'> = {
  id: 'small-path-mtu',
  title: 'the path takes smaller packets than the interface sends',
  why: "asked of every path whose MTU was measured: whether it is below the interface's",
  kind: 'question',
  notice: ({ path }) => (all(path, 'mtu').some(({ outcome }) => outcome === 'ok') ? [{ evidence: { text: 'the path MTU was measured' } }] : []),
};

export const vpnState: Symptom<'vpn-state'> = {
  id: 'vpn-state',
  title: 'the VPN does not go the direct way',
  why: 'asked of every path through Tailscale, with what its client says of the peer',
  kind: 'question',
  notice: (context) => (tailscaleOf(context) ? [{ evidence: { text: 'the Tailscale client told about the peer' } }] : []),
};

export function tailscaleOf({ path }: Pick<Context, 'path'>): Partial<TailscaleDetails> | undefined {
  const found = all(path, 'tailscale').find(({ details }) => details !== undefined);
  return found && detailsOf<TailscaleDetails>(found);
}

export const sshState: Symptom<'ssh-setup'> = {
  id: 'ssh-setup',
  title: 'SSH is not set up well',
  why: "asked of every peer whose SSH settings were read: shared connections, stale sockets, the keys' permissions, compression",
  kind: 'question',
  notice: (context) => (sshOf(context) ? [{ evidence: { text: 'the SSH settings for the peer were read' } }] : []),
};

export function sshOf({ path }: Pick<Context, 'path'>): Partial<SshDetails> | undefined {
  const found = ['ssh', 'ssh.multiplexed', 'ssh.kex', 'ssh.banner'].map((metric) => find(path, metric)).filter((each) => each?.details !== undefined);
  return found.length === 0 ? undefined : Object.assign({}, ...found.toReversed().map((each) => each?.details));
}

export const containerTrouble: Symptom<'container-trouble'> = {
  id: 'container-trouble',
  title: 'trouble with containers',
  why: 'asked of every container engine that answered: health, restarts, memory, the MTU of its networks, its subnets',
  kind: 'question',
  notice: (context) =>
    dockerOf(context) || overlapping(context) ? [{ evidence: { text: 'the container engine told about its containers and networks' } }] : [],
};

export function dockerOf({ path }: Pick<Context, 'path'>): Partial<DockerDetails> | undefined {
  const found = all(path, 'docker').find(({ details }) => Array.isArray(details?.['containers']));
  return found && detailsOf<DockerDetails>(found);
}

function overlapping({ path }: Context): boolean {
  return (path.near?.containerSubnets?.length ?? 0) > 0 && (path.far?.containerSubnets?.length ?? 0) > 0;
}

export const noAnswer: Symptom<'no-answer'> = {
  id: 'no-answer',
  title: 'the peer does not answer',
  why: 'nothing that was tried on the path got an answer, or a port of a host that answers pings does not',
  kind: 'trouble',
  notice({ path, isHost }) {
    if (isHost) return [];
    const tried = path.measurements.filter(({ probe, outcome }) => REACHING.includes(probe) && outcome !== 'unchecked' && outcome !== 'unsupported');
    const beyondPing = tried.filter(({ probe }) => probe !== 'ping');
    if (beyondPing.length === 0 || beyondPing.some((each) => each.outcome === 'ok' || each.summary !== undefined)) return [];
    const [first] = beyondPing;
    return [{ evidence: { text: first?.reason ?? `${first?.probe ?? 'nothing'} got no answer`, ...(first ? { metric: first.metric } : {}) } }];
  },
};

export const stoppedAnswering: Symptom<'stopped-answering'> = {
  id: 'stopped-answering',
  title: 'the peer stopped answering',
  why: 'what was asked first got answers, and the last three or more questions of different kinds or turns got none',
  kind: 'trouble',
  notice({ path, isHost }) {
    if (isHost) return [];
    const asked = path.measurements.filter(({ probe }) => BY_AND_BY.includes(probe)).flatMap(turnsOf);
    const at = [...new Set(asked.map(({ startedAt }) => startedAt))].sort();
    const answered = at.map((start) => asked.some((each) => each.startedAt === start && each.outcome === 'ok'));
    const last = answered.lastIndexOf(true);
    const after = at.slice(last + 1).map((start) => asked.find((each) => each.startedAt === start && GONE.includes(each.outcome)));
    const [first] = after;
    if (last < 0 || after.length < STOPPED_AFTER || !first || after.includes(undefined)) return [];
    return [{ evidence: { text: `the last ${after.length} attempts failed: ${first.reason}`, metric: first.metric } }];
  },
};

/** One question after the other; what the peer may not offer, or drop by its rules, is not among them. */
const BY_AND_BY: readonly string[] = ['tcp', 'http', 'throughput'];
const GONE: readonly string[] = ['timeout', 'lost', 'refused'];
const STOPPED_AFTER = 3;

interface Asked {
  readonly startedAt: string;
  readonly outcome: string;
  readonly metric: string;
  readonly reason: string;
}

function turnsOf({ startedAt, outcome, metric, reason, details }: Measurement): Asked[] {
  const turns: unknown = details?.['turns'];
  const why = reason ?? outcome;
  if (!Array.isArray(turns)) return [{ startedAt, outcome, metric, reason: why }];
  return turns.map((turn: { startedAt: string; outcome: string; reason?: string }) => ({
    startedAt: turn.startedAt,
    outcome: turn.outcome,
    metric,
    reason: turn.reason ?? why,
  }));
}

const REACHING: readonly string[] = ['ping', 'echo', 'tcp', 'tls', 'http', 'throughput', 'ssh'];

export type { MtuDetails };
