import { formatQuantity, formatRate } from '../../base/index.js';
import type { LinkFacts } from '../../base/index.js';
import type { LinkDetails, Measurement } from '../../results/index.js';
import { type Layer, type LayerCell, bad, bytes, factsBlock, list } from './layer.js';

/** An interface: what it is, what both its ends could do, and what goes wrong on it. */
export function linkLayer(measurement: Measurement): Layer | undefined {
  const { link, ratesPerSecond = {}, softirq } = (measurement.details ?? {}) as Partial<LinkDetails>;
  if (!link) return undefined;
  const wrong = Object.entries(ratesPerSecond).filter(([name]) => TROUBLE.test(name) && !HARMLESS.test(name));
  const traffic = Object.entries(ratesPerSecond).filter(([name]) => !wrong.some(([other]) => other === name));
  const off = OFFLOADS.filter((name) => link.features?.[name]?.on === false && link.features[name].changeable);
  const shaped = (link.qdiscs ?? []).filter(({ rateBps }) => rateBps !== undefined);
  const speed = link.speedBps === undefined ? undefined : formatRate(link.speedBps);
  return {
    title: `Interface ${link.name}`,
    of: [measurement],
    short: `${link.name}: ${[
      link.type ?? link.kind,
      speed,
      link.duplex === 'half' ? 'half duplex' : undefined,
      link.mtu === undefined ? undefined : `MTU ${link.mtu}`,
      ...shaped.map(({ kind, rateBps = 0 }) => `${kind} shapes to ${formatRate(rateBps)}`),
      ...wrong.map(rate),
      ...(link.up ? [] : ['switched off']),
      ...(link.carrier === false ? ['no carrier'] : []),
    ]
      .filter((part) => part !== undefined)
      .join(', ')}`,
    blocks: factsBlock([
      ['kind', [...new Set([link.kind, link.type])].filter((part) => part !== undefined).join(', ')],
      ['state', stateOf(link)],
      ['speed', speed],
      ['duplex', link.duplex === 'half' ? bad('half') : link.duplex],
      ['negotiated', link.autonegotiation === undefined ? undefined : link.autonegotiation ? 'automatically' : 'fixed by hand'],
      ['this end can do', link.supportedBpsMax === undefined ? list(link.supported) : formatRate(link.supportedBpsMax)],
      ['other end can do', link.partnerBpsMax === undefined ? list(link.partner) : formatRate(link.partnerBpsMax)],
      ['port', link.port],
      ['MTU', bytes(link.mtu)],
      ['port of', link.master],
      ['driver', [link.driver, link.firmware].filter((part) => part !== undefined).join(', firmware ')],
      ['bus', link.bus],
      ['queues', link.queues && `${queueOf(link.queues.rx, link.queues.rxMax)} receive, ${queueOf(link.queues.tx, link.queues.txMax)} send`],
      ['queue discipline', list(link.qdiscs?.map(discipline))],
      ['offloads that are off', list(off)],
      ['goes wrong', wrong.length === 0 ? undefined : bad(wrong.map(rate).join(', '))],
      ['traffic meanwhile', list(traffic.filter(([name]) => TRAFFIC.includes(name)).map(rate))],
      ['soft interrupts', softirq && `${formatQuantity(softirq.busiest, 'ratio')} of the busiest processor`],
      ['could not be read', link.unread?.map(({ what, why }) => `${what} (${why})`).join('; ')],
    ]),
  };
}

/** Names of struct rtnl_link_stats64 that count what should not happen. */
const TROUBLE = /error|drop|missed|collision|fifo|nohandler/;
const HARMLESS = /otherhost/;
const TRAFFIC: readonly string[] = ['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes'];

/** Those that matter to throughput; a card has forty more. */
const OFFLOADS: readonly string[] = [
  'rx-checksumming',
  'tx-checksumming',
  'scatter-gather',
  'tcp-segmentation-offload',
  'generic-segmentation-offload',
  'generic-receive-offload',
];

function rate([name, perSecond]: readonly [string, number]): string {
  if (name.endsWith('_bytes')) return `${name.replace('_bytes', '').replace('rx', 'receives').replace('tx', 'sends')} ${formatRate(perSecond * 8)}`;
  return `${name} ${formatQuantity(perSecond, 'count')}/s`;
}

function stateOf({ up, carrier }: LinkFacts): LayerCell {
  if (!up) return bad('switched off');
  return carrier === false ? bad('up, no carrier') : 'up';
}

function queueOf(used: number, most: number | undefined): string {
  return most === undefined || most === used ? String(used) : `${used} (of ${most})`;
}

function discipline({ kind, rateBps }: { readonly kind: string; readonly rateBps?: number }): string {
  return rateBps === undefined ? kind : `${kind}, shapes to ${formatRate(rateBps)}`;
}

/** Why a measurement of an interface that is up has no figure; undefined where it has one, or is of something else. */
export function noSpeed({ probe, outcome, summary, details }: Measurement): string | undefined {
  const { link } = (details ?? {}) as Partial<LinkDetails>;
  return probe !== 'link' || outcome !== 'ok' || summary || !link ? undefined : whyNoSpeed(link);
}

/** Why an interface tells no speed, as far as its kind tells. */
function whyNoSpeed(link: Partial<LinkFacts>): string {
  const unread = link.unread?.find(({ what }) => /speed|link mode|settings/i.test(what));
  if (unread) return unread.why;
  const what = KINDS[link.kind ?? 'other'];
  return what === undefined ? 'its driver does not tell one' : `${what} is no cable`;
}

const KINDS: Readonly<Partial<Record<LinkFacts['kind'], string>>> = {
  virtual: 'a virtual interface',
  bridge: 'a bridge',
  tunnel: 'a tunnel',
  loopback: 'the loopback interface',
};
