import type { AdviceOption } from '../../results/index.js';
import { CABLE_NAMES, cableCarries } from './cables.js';
import { assumedMetres, cablingFor, lengthUsd, portsOf } from './cabling.js';
import { directSteps } from './commands.js';
import type { Situation, UpgradeInput } from './input.js';
import { copperName, goodputCeilingBps, speedName } from './link-speeds.js';
import { PRICES } from './prices.js';
import type { Part, PartId, PriceList } from './prices.js';
import { fittingSwitches } from './switches.js';
import { plainQuantity } from './workload.js';

type Line = AdviceOption['parts'][number];

/** What could be bought, the cheapest first. Each counts every cable, module and adapter that it takes. */
export function optionsOf(input: UpgradeInput, situation: Situation): AdviceOption[] {
  const order = orderOf(input, situation);
  const options = [direct(order), ...cheapest(switches(order, situation.toBps), SWITCHES_MAX), ...cheapest(middle(order), 1)].filter(
    (option) => option !== undefined,
  );
  return options.sort((a, b) => a.usd[0] - b.usd[0] || a.usd[1] - b.usd[1]);
}

/** More would only be dearer ways to the same speed. */
const SWITCHES_MAX = 3;

function cheapest(options: readonly AdviceOption[], count: number): AdviceOption[] {
  return [...options].sort((a, b) => a.usd[1] - b.usd[1]).slice(0, count);
}

/** What is to be connected, and with what. */
interface Order {
  readonly input: UpgradeInput;
  readonly situation: Situation;
  readonly prices: PriceList;
  readonly hosts: number;
  readonly metres: number;
  readonly ports: 'rj45' | 'sfp';
}

function orderOf(input: UpgradeInput, situation: Situation): Order {
  const ports = portsOf(input, situation);
  return {
    input,
    situation,
    prices: input.prices ?? PRICES,
    hosts: input.hosts ?? 2,
    metres: input.distanceMetres ?? assumedMetres(ports),
    ports,
  };
}

function direct(order: Order): AdviceOption | undefined {
  const { situation, hosts, metres, input } = order;
  if (hosts !== 2) return undefined;
  const cable = cablingFor({ ...order, bps: situation.toBps });
  if (cable === undefined) return undefined;
  const second = input.freePorts === false ? adaptersFor(order, situation.toBps, 2) : adaptersFor(order, situation.toBps);
  if (!second) return undefined;
  const taken = [input.near, input.far].flatMap((about) => about?.containerSubnets ?? []);
  return option('direct-cable', `one cable between the two hosts, ${speedName(situation.toBps)}`, {
    bps: situation.toBps,
    parts: [cableLine(order, cable, 1), ...second],
    limits: [
      input.freePorts === true || input.freePorts === false
        ? `only these two hosts gain; each keeps its other port for everything else`
        : 'each host needs a free port for it: where the only port is taken, the host loses the network (Wi-Fi or a second adapter keeps it)',
      'static addresses: nothing hands out addresses on such a cable',
      `up to ${plainQuantity(goodputCeilingBps(situation.toBps), 'bps')} of payload (MTU 1500)`,
      ...cableNotes(order, situation.toBps, metres),
    ],
    steps: directSteps(situation.ends, taken),
  });
}

function switches(order: Order, bps: number): AdviceOption[] {
  const { hosts, prices, metres } = order;
  const adapters = adaptersFor(order, bps);
  if (!adapters) return [];
  // The cables lead to where the old switch is, and the new one takes its place.
  const { cable: known } = order.input;
  const inPlace = known !== undefined && cableCarries(known, bps, metres).carries;
  return fittingSwitches(prices, { hosts, bps, ports: order.ports, metres }).map(({ id, model, used }) => {
    const parts = [{ what: model.what, count: 1, usd: [...model.usd] as [number, number], source: model.source }];
    const hostLines = used.flatMap(({ cable, module, count }) => [
      ...(module ? [line(prices.parts[module], count)] : []),
      ...(inPlace ? [] : [cableLine(order, cable, count)]),
    ]);
    return option(`switch-${id}`, `${model.what}: ${hosts} hosts at ${speedName(bps)}`, {
      bps,
      parts: [...parts, ...merged(hostLines), ...adapters],
      limits: [
        `${describePorts(used)}; the uplink to the rest of the network stays at ${used.some(({ uplink }) => uplink === 'fast') ? `the speed of the old switch, on one of the fast ports` : '1 Gbit/s, on its own port'}`,
        `up to ${plainQuantity(goodputCeilingBps(bps), 'bps')} of payload between any two hosts (MTU 1500)`,
        ...(used.some(({ module }) => module === 'module-10gbase-t') ? ['10GBASE-T modules for SFP+ reach about 30 m and draw 2 to 3 W each'] : []),
        ...(model.note === undefined ? [] : [model.note]),
        ...cableNotes(order, bps, metres),
      ],
      steps: [
        'plug the hosts and the uplink into the new switch; addresses stay as they are',
        'read the negotiated speed at each host: tautline measure link localhost',
        'measure again: tautline check PEER, and compare with tautline history',
      ],
    });
  });
}

/** 2.5 and 5 Gbit/s run over cables that are already in the wall. */
function middle(order: Order): AdviceOption[] {
  const { situation, input, metres } = order;
  if (situation.toBps <= 2.5e9 || situation.fromBps >= 2.5e9 || order.ports === 'sfp') return [];
  const unable = situation.ends.find(
    ({ link }) => link.supported && !link.supported.some((mode) => mode.startsWith('2500base')) && link.supported.length > 0,
  );
  const over = input.cable ?? 'cat5e';
  if (!cableCarries(over, 2.5e9, metres).carries) return [];
  const found = switches({ ...order, situation: { ...situation, toBps: 2.5e9 } }, 2.5e9).map((each) => ({
    ...each,
    limits: [
      `the middle way: ${CABLE_NAMES[over]} in place will do (${copperName(2.5e9)}, ${cableCarries(over, 2.5e9, metres).why.replace(/^.*\((.*)\)$/, '$1')}), and it gives a quarter of 10 Gbit/s`,
      ...(unable ? [`${unable.link.name} of ${unable.name} does not list 2.5 Gbit/s: older 10 Gbit/s adapters step from 10 straight to 1`] : []),
      ...each.limits,
    ],
  }));
  return unable ? [] : found;
}

/** What an end that cannot do the speed needs; undefined where nothing that we know would do. */
function adaptersFor({ situation, prices }: Order, bps: number, forced = 0): Line[] | undefined {
  const unable = situation.ends.filter(({ link }) => link.supportedBpsMax !== undefined && link.supportedBpsMax < bps);
  const count = Math.max(forced, unable.length);
  if (count === 0) return [];
  const id: PartId | undefined =
    bps <= 2.5e9
      ? 'adapter-2.5g-usb'
      : bps <= 5e9
        ? 'adapter-5g-usb'
        : bps <= 10e9
          ? 'card-10g'
          : bps <= 25e9
            ? 'card-25g'
            : bps <= 100e9
              ? 'card-100g'
              : undefined;
  if (id === undefined) return undefined;
  const part = prices.parts[id];
  // A laptop or a Mac has no slot: the band reaches up to the adapter that needs none.
  if (id !== 'card-10g') return [line(part, count)];
  const outside = prices.parts['adapter-10g-thunderbolt'];
  return [
    {
      what: `${part.what} or ${outside.what}`,
      count,
      usd: [part.usd[0] * count, outside.usd[1] * count],
      source: `${part.source}; ${outside.source}`,
    },
  ];
}

function cableNotes({ input, ports }: Order, bps: number, metres: number): string[] {
  if (ports === 'sfp') return [];
  if (input.cable !== undefined) {
    const { carries, why, depends } = cableCarries(input.cable, bps, metres);
    return [`${carries ? 'the cable in place will do' : 'the cable in place will not do'}: ${why}${depends === undefined ? '' : `, but ${depends}`}`];
  }
  return bps > 5e9 ? [`${copperName(bps)} runs 55 m over Cat6 and 100 m over Cat6a (IEEE 802.3an)`] : [];
}

function cableLine({ prices, metres }: Order, id: PartId, count: number): Line {
  const part = prices.parts[id];
  const more = lengthUsd(id, metres);
  const what = more[1] > 0 ? `${part.what.replace('patch cable', 'cable')} of ${metres} m` : part.what;
  return line({ ...part, what, usd: [part.usd[0] + more[0], part.usd[1] + more[1]] }, count);
}

function line(part: Part, count: number): Line {
  return { what: part.what, count, usd: [part.usd[0] * count, part.usd[1] * count], source: part.source };
}

function merged(lines: readonly Line[]): Line[] {
  const byWhat = new Map<string, Line>();
  for (const each of lines) {
    const known = byWhat.get(each.what);
    byWhat.set(each.what, known ? { ...known, count: known.count + each.count, usd: sum([known, each]) } : each);
  }
  return [...byWhat.values()];
}

function sum(lines: readonly { readonly usd: readonly [number, number] }[]): [number, number] {
  return [lines.reduce((total, { usd }) => total + usd[0], 0), lines.reduce((total, { usd }) => total + usd[1], 0)];
}

function option(id: string, title: string, rest: Omit<AdviceOption, 'id' | 'title' | 'usd'>): AdviceOption {
  return { id, title, ...rest, usd: sum(rest.parts) };
}

function describePorts(used: readonly { readonly port: string; readonly count: number }[]): string {
  return used.map(({ port, count }) => `${count} of the hosts on ${port}`).join(', ');
}
