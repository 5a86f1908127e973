import type { LinkFacts } from '../../base/index.js';
import type { AdviceCause, Confidence } from '../../results/index.js';
import { CABLE_NAMES, cableCarries } from './cables.js';
import { assumedMetres } from './cabling.js';
import { nicCommands } from './commands.js';
import type { End, Situation, UpgradeInput } from './input.js';
import { goodputCeilingBps, speedName } from './link-speeds.js';

/**
 * Why a link runs below what both ends can do. Each cause starts with how often it is the one in practice (a
 * switch far more often than a driver) and is moved by evidence; what the evidence excludes is told apart. The
 * weights only order the list: they are no probabilities, and none is printed.
 */
export interface CausesFound {
  readonly causes: readonly AdviceCause[];
  readonly ruledOut: readonly { readonly id: string; readonly why: string }[];
}

export function causesOf(input: UpgradeInput, situation: Situation): CausesFound {
  const slow = situation.ends.filter(({ link }) => (link.speedBps ?? situation.fromBps) < situation.toBps);
  const told = situation.ends.length > 0 && slow.length === 0 ? [between(input, situation)] : CAUSES.map((cause) => cause(input, situation, slow));
  const causes = told
    .filter((cause) => cause.weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ weight, ...cause }, i, ordered) => ({ ...cause, rank: i + 1, confidence: confidenceOf(weight, ordered[i === 0 ? 1 : 0]?.weight ?? 0) }));
  return { causes, ruledOut: told.filter(({ weight }) => weight === 0).map(({ id, why }) => ({ id, why })) };
}

interface Weighed extends Omit<AdviceCause, 'rank' | 'confidence'> {
  /** 0 where the evidence excludes it. */
  readonly weight: number;
}

type Cause = (input: UpgradeInput, situation: Situation, slow: readonly End[]) => Weighed;

/** The drivers say it themselves. */
const TOLD = 100;
/** The evidence points here, and something less likely would look the same. */
const POINTED = 10;

function confidenceOf(weight: number, other: number): Confidence {
  if (weight >= TOLD) return 'certain';
  return weight >= POINTED && weight >= 2 * other ? 'likely' : 'possible';
}

const adapter: Cause = (_input, { toBps, ends }) => {
  const unable = ends.filter(({ link }) => link.supportedBpsMax !== undefined && link.supportedBpsMax < toBps);
  const able = ends.length > 0 && ends.every(({ link }) => (link.supportedBpsMax ?? 0) >= toBps);
  const names = unable.map(
    ({ name, link }) => `${link.name} of ${name} does at most ${speedName(link.supportedBpsMax ?? 0)}${isUsb(link) ? ' (a USB adapter)' : ''}`,
  );
  return {
    id: 'adapter',
    title: `adapter, dock or dongle slower than ${speedName(toBps)}`,
    weight: unable.length > 0 ? TOLD : able ? 0 : 2,
    why:
      unable.length > 0
        ? names.join('; ')
        : able
          ? `the drivers of both ends list ${speedName(toBps)} among what they support`
          : 'no driver told what the adapters support',
    check: 'read what each adapter supports; a dock or dongle has an adapter of its own, whatever the computer can do',
    command: nicCommands(ends).supported,
  };
};

const setting: Cause = (_input, { fromBps, toBps, ends }, slow) => {
  const off = slow.filter(({ link }) => link.autonegotiation === false);
  const restricted = slow.filter(({ link }) => {
    const most = fastestMode(link.advertised);
    return most !== undefined && most < toBps && (link.supportedBpsMax ?? 0) >= toBps;
  });
  const offering = slow.length > 0 && slow.every(({ link }) => link.autonegotiation !== false && (fastestMode(link.advertised) ?? 0) >= toBps);
  const why = [
    ...off.map(({ name, link }) => `${link.name} of ${name} has autonegotiation off and is fixed at ${speedName(link.speedBps ?? fromBps)}`),
    ...restricted.map(
      ({ name, link }) =>
        `${link.name} of ${name} supports ${speedName(link.supportedBpsMax ?? 0)} and offers only ${speedName(fastestMode(link.advertised) ?? 0)}`,
    ),
  ];
  return {
    id: 'setting',
    title: 'adapter setting: faster modes not offered, or autonegotiation off',
    weight: why.length > 0 ? TOLD : offering ? 0 : 2.5,
    why:
      why.length > 0
        ? why.join('; ')
        : offering
          ? `every end below ${speedName(toBps)} negotiates and offers it`
          : 'what the adapters offer could not be read',
    check: `compare what the adapter supports with what it advertises; ${speedName(toBps)} must be in both, and autonegotiation on`,
    command: nicCommands(slow.length > 0 ? slow : ends).supported,
    fix: nicCommands(slow.length > 0 ? slow : ends).advertise,
  };
};

const switchPort: Cause = (_input, { fromBps, toBps, ends }, slow) => {
  const partners = slow.map(({ link }) => link.partnerBpsMax ?? fastestMode(link.partner));
  const unable = slow.filter((_, i) => (partners[i] ?? Number.POSITIVE_INFINITY) < toBps);
  const able = slow.length > 0 && partners.every((most) => most !== undefined && most >= toBps);
  const alike = slow.length === 2 && slow[0]?.link.speedBps === slow[1]?.link.speedBps;
  const known = unable.map(
    ({ name, link }) =>
      `what ${link.name} of ${name} is plugged into offers at most ${speedName(link.partnerBpsMax ?? fastestMode(link.partner) ?? fromBps)}`,
  );
  return {
    id: 'switch',
    title: `switch port, or what else the cable ends in, slower than ${speedName(toBps)}`,
    weight: unable.length > 0 ? TOLD / 2 + POINTED : able ? 0 : alike ? 9 : 6,
    why:
      unable.length > 0
        ? known.join('; ')
        : able
          ? `what the slow ends are plugged into offers ${speedName(toBps)}`
          : alike
            ? `both ends run at ${speedName(fromBps)}: one switch between them explains both, two bad cables would be a coincidence`
            : `a port that stops at ${speedName(fromBps)} is the commonest cause, and nobody told what it offers`,
    check: `read what the link partner advertises, or the switch's data sheet; or plug the two hosts together directly: if the link then comes up at ${speedName(toBps)}, it was the switch`,
    command: nicCommands(slow.length > 0 ? slow : ends).partner,
  };
};

const cable: Cause = (input, { fromBps, toBps, ends }, slow) => {
  const offered = slow.filter(
    ({ link }) => (link.partnerBpsMax ?? fastestMode(link.partner) ?? 0) >= toBps && (fastestMode(link.advertised) ?? toBps) >= toBps,
  );
  const excluded = slow.length > 0 && slow.every(({ link }) => (link.partnerBpsMax ?? fastestMode(link.partner) ?? Number.POSITIVE_INFINITY) < toBps);
  const declared =
    input.cable === undefined
      ? undefined
      : cableCarries(input.cable, toBps, input.distanceMetres ?? assumedMetres(input.cable === 'dac' ? 'sfp' : 'rj45'));
  const errors = slow.filter(({ link }) => (link.counters?.['rx_crc_errors'] ?? 0) > 0);
  const evidence = [
    ...offered.map(
      ({ name, link }) =>
        `${name} and what ${link.name} is plugged into both offer ${speedName(toBps)}, and the link came up at ${speedName(link.speedBps ?? fromBps)}: adapters step down when the pairs do not carry the faster mode`,
    ),
    ...errors.map(({ name, link }) => `${link.name} of ${name} counted ${link.counters?.['rx_crc_errors']} frames with a bad checksum`),
    ...(fromBps === 100e6 && toBps >= 1e9 ? ['100 Mbit/s needs two of the four pairs: one broken pair is enough to fall back to it'] : []),
    ...(declared && !declared.carries ? [declared.why] : []),
  ];
  const weight =
    (offered.length > 0 ? POINTED * 3 : 0) +
    (errors.length > 0 ? POINTED : 0) +
    (declared && !declared.carries ? POINTED : 0) +
    (fromBps === 100e6 ? 3 : 0);
  return {
    id: 'cable',
    title: `cable not good for ${speedName(toBps)}`,
    weight: excluded ? 0 : declared?.carries === true && offered.length === 0 ? 1 : weight > 0 ? weight : 3,
    why: excluded
      ? `the partner does not offer ${speedName(toBps)}, so the cable is not what decides now`
      : evidence.length > 0
        ? evidence.join('; ')
        : (declared?.why ??
          `${toBps <= 2.5e9 ? CABLE_NAMES.cat5e : toBps <= 5e9 ? `${CABLE_NAMES.cat5e} in good order` : `${CABLE_NAMES.cat6} up to 55 m or ${CABLE_NAMES.cat6a} up to 100 m`} is what it takes, and no cable was declared (--cable)`),
    check: 'swap in a short cable that is known to be good (Cat6a, 3 m or less), and read the speed again',
    command: nicCommands(slow.length > 0 ? slow : ends).speed,
  };
};

const driver: Cause = (_input, { toBps, ends }) => {
  const able = ends.length > 0 && ends.every(({ link }) => (link.supportedBpsMax ?? 0) >= toBps);
  return {
    id: 'driver',
    title: 'driver or firmware that hides what the hardware can do',
    weight: able ? 0 : 0.5,
    why: able ? `the drivers list ${speedName(toBps)}` : 'rare, and a look costs nothing: a generic driver may list fewer modes than the data sheet',
    check: "compare the driver's list of modes with the adapter's data sheet, and look for newer firmware",
    command: nicCommands(ends).driver,
  };
};

const energy: Cause = (_input, { fromBps, ends }) => ({
  id: 'energy',
  title: 'power-saving mode',
  weight: fromBps <= 100e6 ? 2 : 0.7,
  why:
    fromBps <= 100e6
      ? 'adapters that wait for wake-on-LAN fall to 10 or 100 Mbit/s, and some stay there after sleep'
      : 'energy-efficient Ethernet (802.3az) keeps the negotiated speed and only adds microseconds; "green" modes of some adapters and switches do lower it',
  check: 'look whether power saving is on; turn it off for a try, bring the link down and up, and read the speed again',
  command: nicCommands(ends).energy,
});

const CAUSES: readonly Cause[] = [adapter, setting, switchPort, cable, driver, energy];

/** Both ends run at the higher speed already: what is slow lies where no end can see it. */
function between(input: UpgradeInput, { fromBps, toBps }: Situation): Weighed {
  const measured = input.measured?.bps;
  const fits =
    measured !== undefined && measured >= goodputCeilingBps(fromBps) * 0.9 && measured <= goodputCeilingBps(fromBps, { timestamps: false });
  return {
    id: 'uplink',
    title: `slower link between the two, such as an uplink between switches at ${speedName(fromBps)}`,
    weight: fits ? POINTED * 2 : 1,
    why: `both ends run at ${speedName(toBps)} or more${fits ? `, and what was measured is just what ${speedName(fromBps)} carries` : ''}`,
    check: 'look at the speeds of the ports between the switches, and plug both hosts into the same switch for a try',
  };
}

function isUsb({ driver: name = '', bus = '' }: LinkFacts): boolean {
  return /^(?:r815[2-9]|ax88|cdc_|asix|aqc111|rtl815)/.test(name) || /^usb|^\d+-\d/.test(bus);
}

/** The fastest of the kernel's mode names, such as `10000baseT/Full`. */
export function fastestMode(modes: readonly string[] | undefined): number | undefined {
  const speeds = (modes ?? []).flatMap((mode) => {
    const megabits = /^(\d+)base/i.exec(mode)?.[1];
    return megabits === undefined ? [] : [Number(megabits) * 1e6];
  });
  return speeds.length === 0 ? undefined : Math.max(...speeds);
}
