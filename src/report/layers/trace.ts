import type { Measurement, TraceDetails } from '../../results/index.js';
import { type Layer, type LayerCell, bad, counted, notesBlock, quiet } from './layer.js';

type Hop = TraceDetails['hops'][number];

/** The routers on the way, a line each; several at one hop where flows part. */
export function traceLayer(measurement: Measurement): Layer | undefined {
  const found = (measurement.details ?? {}) as Partial<TraceDetails>;
  const { hops = [], protocol, reached, flows = 1, allRoutersSeen } = found;
  if (hops.length === 0) return undefined;
  const by = protocol?.toUpperCase() ?? 'unknown protocol';
  const digits = Math.max(...hops.flatMap(({ nodes }) => nodes.map(({ rttMs }) => rttMs?.max ?? 0))) >= 10 ? 2 : 3;
  const parted = hops.filter(({ nodes }) => nodes.length > 1);
  return {
    title: `Hops by ${by}${flows > 1 ? `, ${flows} flows` : ''}${reached === false ? ', the target was not reached' : ''}`,
    of: [measurement],
    short: shortOf(found, hops),
    blocks: [
      {
        kind: 'table',
        columns: [
          { head: 'hop', align: 'right' },
          { head: 'address', align: 'left' },
          { head: 'name', align: 'left', drop: 1, flexible: true },
          { head: 'answered', align: 'right' },
          { head: 'min ms', align: 'right', drop: 2 },
          { head: 'median ms', align: 'right' },
          { head: 'max ms', align: 'right', drop: 3 },
          { head: 'remark', align: 'left' },
        ],
        rows: hops.flatMap((hop, i) => rowsOf(hop, { digits, flows, last: i === hops.length - 1, found })),
      },
      ...notesBlock([
        ...hops.flatMap(({ ttl, ended }) => (ended === undefined ? [] : [bad(`the way ends at hop ${ttl}: ${ended}`)])),
        parted.length > 0 ? quiet(partingNote(found, parted)) : undefined,
        parted.length > 0 && allRoutersSeen === false ? quiet('more flows (--flows) may find more routers') : undefined,
      ]),
    ],
  };
}

interface HopContext {
  readonly digits: number;
  readonly flows: number;
  readonly last: boolean;
  readonly found: Partial<TraceDetails>;
}

function rowsOf(hop: Hop, { digits, flows, last, found }: HopContext): LayerCell[][] {
  const { ttl, sent, answered, nodes } = hop;
  const remark = remarkOf(hop, { last, found });
  if (nodes.length === 0) return [[String(ttl), quiet('-'), '', `0/${sent}`, '', '', '', remark]];
  return nodes.map(({ address, name, rttMs, answered: own, flows: onFlows }) => {
    const figure = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(digits));
    const share = nodes.length > 1 && flows > 1 ? `${counted(onFlows.length, 'flow')} of ${flows}` : '';
    return [
      String(ttl),
      address,
      name ?? '',
      nodes.length > 1 ? String(own) : `${answered}/${sent}`,
      figure(rttMs?.min),
      figure(rttMs?.median),
      figure(rttMs?.max),
      share === '' ? remark : share,
    ];
  });
}

function remarkOf({ ended, answers, nodes }: Hop, { last, found }: { last: boolean; found: Partial<TraceDetails> }): LayerCell {
  if (last && found.reached === true) return 'target';
  if (ended !== undefined) return bad('ends here');
  if (answers === 'silent' || nodes.length === 0) return quiet('silent');
  return answers === 'limited' ? quiet('limits') : '';
}

function partingNote({ parting }: Partial<TraceDetails>, parted: readonly Hop[]): string {
  const routers = Math.max(...parted.map(({ nodes }) => nodes.length));
  const where = parting === undefined ? '' : ` behind hop ${parting.fromTtl} and meet again at hop ${parting.toTtl}`;
  return `flows part${where}: up to ${routers} routers beside each other (ECMP)`;
}

function shortOf({ reached, protocol, parting, loop }: Partial<TraceDetails>, hops: readonly Hop[]): string {
  const far = reached === false ? hops.findLastIndex(({ nodes }) => nodes.length > 0) + 1 : hops.length;
  const silent = hops.slice(0, far).filter(({ nodes }) => nodes.length === 0).length;
  return [
    reached === false ? `trace ends after ${counted(far, 'hop')}` : counted(far, 'hop'),
    ...(reached === false && protocol !== undefined ? [`by ${protocol.toUpperCase()}`] : []),
    ...(silent > 0 ? [`${silent} silent`] : []),
    ...(parting ? [`flows part at hop ${parting.fromTtl}`] : []),
    ...(loop && loop.length > 0 ? ['a loop'] : []),
  ].join(', ');
}
