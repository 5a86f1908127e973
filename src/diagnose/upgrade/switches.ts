import { cablingFor } from './cabling.js';
import type { Run } from './cabling.js';
import type { PartId, PortKind, PriceList, SwitchModel } from './prices.js';

/** How the hosts sit on a switch: so many on this kind of port, each with a module and a cable. */
export interface Seats {
  readonly port: string;
  readonly count: number;
  readonly module?: PartId;
  readonly cable: PartId;
  /** Where the rest of the network is plugged in. */
  readonly uplink: 'own' | 'fast';
}

interface Wanted extends Run {
  readonly hosts: number;
}

interface Seat {
  readonly kind: PortKind;
  readonly name: string;
  readonly module?: PartId;
  readonly cable: PartId;
}

/** A module's reach for 10GBASE-T in an SFP+ cage, by the power that the cage gives (80 m parts exist and run hotter). */
const MODULE_METRES_MAX = 30;

/** Switches with room for every host and the uplink, each with the ports, modules and cables that it takes. */
export function fittingSwitches(prices: PriceList, wanted: Wanted): { id: string; model: SwitchModel; used: Seats[] }[] {
  return Object.entries(prices.switches).flatMap(([id, model]) => {
    const used = seatsOn(model, wanted);
    return used ? [{ id, model, used }] : [];
  });
}

function seatsOn(model: SwitchModel, wanted: Wanted): Seats[] | undefined {
  const seats = seatsFor(wanted);
  const free = new Map(Object.entries(model.ports) as [PortKind, number][]);
  const used: Seats[] = [];
  let waiting = wanted.hosts;
  for (const { kind, name, module, cable } of seats) {
    const count = Math.min(waiting, free.get(kind) ?? 0);
    if (count === 0) continue;
    free.set(kind, (free.get(kind) ?? 0) - count);
    waiting -= count;
    used.push({ port: name, count, cable, uplink: 'own', ...(module === undefined ? {} : { module }) });
  }
  if (waiting > 0 || used.length === 0) return undefined;
  if ((free.get('rj45-1g') ?? 0) > 0) return used;
  // The rest of the network takes a plug of twisted pair: a free port of that kind, whatever its speed.
  const plug = (['rj45-2.5g', 'rj45-10g', 'combo-10g'] as const).some((kind) => (free.get(kind) ?? 0) > 0);
  return plug ? used.map((seat) => ({ ...seat, uplink: 'fast' as const })) : undefined;
}

/** The ports that a host can sit on at this speed, the simplest first. */
function seatsFor(wanted: Wanted): readonly Seat[] {
  const { bps, ports, metres } = wanted;
  const cable = cablingFor(wanted);
  if (cable === undefined) return [];
  if (ports === 'rj45') {
    if (bps <= 2.5e9) return [{ kind: 'rj45-2.5g', name: '2.5 Gbit/s RJ45 ports', cable }];
    const plugs: readonly Seat[] = [
      { kind: 'rj45-10g', name: '10 Gbit/s RJ45 ports', cable },
      { kind: 'combo-10g', name: '10 Gbit/s combined ports', cable },
    ];
    return metres > MODULE_METRES_MAX
      ? plugs
      : [...plugs, { kind: 'sfp+', name: 'SFP+ cages with 10GBASE-T modules', module: 'module-10gbase-t', cable }];
  }
  if (bps <= 10e9)
    return [
      { kind: 'sfp+', name: 'SFP+ cages', cable },
      { kind: 'combo-10g', name: 'combined ports', cable },
      { kind: 'sfp28', name: 'SFP28 cages', cable },
    ];
  return bps <= 25e9 ? [{ kind: 'sfp28', name: 'SFP28 cages', cable }] : [{ kind: 'qsfp28', name: 'QSFP28 cages', cable }];
}
