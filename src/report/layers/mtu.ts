import { formatQuantity } from '../../base/index.js';
import { metricName } from '../../results/index.js';
import type { Measurement, MtuDetails } from '../../results/index.js';
import { type Layer, type LayerCell, bad, bytes, factsBlock, list, notesBlock, textOf } from './layer.js';

/** The path MTU, both ways beside each other. */
export function mtuLayer(measurements: readonly Measurement[]): Layer | undefined {
  const told = measurements.filter(({ details }) => details !== undefined);
  const [first] = told;
  if (!first) return undefined;
  const columns = told.map((measurement) => factsOf(measurement));
  const names = [...new Set(columns.flatMap((facts) => [...facts.keys()]))];
  const clamps = told.flatMap(({ details, metric }) => clampNotes(details as unknown as Partial<MtuDetails>, told.length > 1 ? metric : undefined));
  const directions = told.map(({ metric }) => metricName(metric).replace('path MTU', '').trim());
  return {
    title: 'Path MTU',
    of: told,
    short: shortOf(told),
    blocks: [
      ...(told.length === 1
        ? factsBlock(names.map((name) => [name, columns[0]?.get(name)]))
        : [
            {
              kind: 'table' as const,
              columns: [
                { head: 'direction', align: 'left' as const },
                ...directions.map((head, i) => ({ head, align: 'left' as const, ...(i === directions.length - 1 ? { flexible: true } : {}) })),
              ],
              rows: names.map((name) => [name, ...columns.map((facts) => facts.get(name) ?? '')]),
            },
          ]),
      ...notesBlock(clamps),
    ],
  };
}

function factsOf({ details, summary }: Measurement): Map<string, LayerCell> {
  const found = details as unknown as Partial<MtuDetails>;
  const pairs: [string, LayerCell | undefined][] = [
    ['passes', bytes(summary?.median ?? found.passesBytes)],
    ['does not pass', bytes(found.failsBytes)],
    ['bounded by', boundOf(found)],
    ['black hole', found.blackHole === undefined ? undefined : found.blackHole ? bad('yes: large packets vanish') : 'no'],
    ['said too big', found.tooBigFrom && `${found.tooBigFrom}${found.tooBigMtuBytes === undefined ? '' : `, takes ${found.tooBigMtuBytes} B`}`],
    ['interface', found.interfaceName && [found.interfaceName, bytes(found.interfaceMtuBytes)].filter((part) => part !== undefined).join(', ')],
    ['TCP segment', segmentOf(found)],
    ['smaller sizes lost', found.surprises && found.surprises.length > 0 ? bad(`${list(found.surprises.map(String))} B`) : undefined],
    ['lost of what fits', lossOf(found.fitting)],
    ['changed meanwhile', found.changes === undefined || found.changes === 0 ? undefined : `${found.changes} times`],
    ['told by', found.method && METHODS[found.method]],
    ['answered by', found.remote],
    ['certainty', certaintyOf(found)],
  ];
  return new Map(pairs.flatMap(([name, value]): [string, LayerCell][] => (value === undefined || textOf(value) === '' ? [] : [[name, value]])));
}

const METHODS: Readonly<Record<MtuDetails['method'], string>> = {
  responder: 'tautline serve',
  icmp: 'ICMP echo',
  udp: 'UDP, by ICMP errors',
};

function boundOf({ ownInterface, tooBigFrom }: Partial<MtuDetails>): string | undefined {
  if (ownInterface === true) return "the sender's interface";
  return tooBigFrom === undefined ? undefined : 'a router on the way';
}

/** What TCP does is worth more than what it could do. */
function segmentOf({ mssBytes, tcpMssBytes }: Partial<MtuDetails>): string | undefined {
  if (mssBytes === undefined) return bytes(tcpMssBytes);
  return tcpMssBytes === undefined || tcpMssBytes === mssBytes ? `${mssBytes} B` : `${tcpMssBytes} B (${mssBytes} B less options)`;
}

function lossOf(fitting: MtuDetails['fitting']): string | undefined {
  if (!fitting || fitting.sent === 0 || fitting.passed >= fitting.sent) return undefined;
  return `${fitting.sent - fitting.passed} of ${fitting.sent}`;
}

function certaintyOf({ verified, chance }: Partial<MtuDetails>): string | undefined {
  if (verified === true) return 'both bounds confirmed';
  if (chance !== undefined && chance > 0) return `wrong with ${formatQuantity(chance, 'ratio')} chance`;
  return verified === false ? 'not confirmed' : undefined;
}

function clampNotes({ clamp }: Partial<MtuDetails>, metric: string | undefined): string[] {
  if (!clamp) return [];
  const about = metric === undefined ? '' : `${metricName(metric)}: `;
  return [
    `${about}clamp TCP segments to ${clamp.mssBytes} B, since ${clamp.why}: ${clamp.command}`,
    ...(clamp.others ?? []).map(({ where, command }) => `${where}: ${command}`),
  ];
}

function shortOf(measurements: readonly Measurement[]): string {
  const sizes = measurements.map(({ metric, summary, details }) => ({
    way: WAYS[metric] ?? '',
    passes: bytes(summary?.median ?? (details as unknown as Partial<MtuDetails>).passesBytes),
  }));
  const same = sizes.every(({ passes }) => passes === sizes[0]?.passes);
  const size =
    same && sizes.length > 1
      ? `${sizes[0]?.passes ?? 'unknown'} both ways`
      : sizes.map(({ way, passes }) => `${passes ?? 'unknown'} ${way}`.trimEnd()).join(', ');
  const holes = measurements.filter(({ details }) => (details as unknown as Partial<MtuDetails>).blackHole === true);
  return `path MTU ${size}${holes.length > 0 ? `, black hole ${holes.map(({ metric }) => WAYS[metric] ?? 'on the way').join(' and ')}` : ''}`;
}

const WAYS: Readonly<Record<string, string>> = { 'mtu.up': 'up', 'mtu.down': 'down' };
