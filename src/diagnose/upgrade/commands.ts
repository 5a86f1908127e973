import { shellWord } from '../../base/index.js';
import type { End } from './input.js';

/** Lines to type at an end; where several systems are possible, each in its own words. */
export interface NicCommands {
  readonly supported: string;
  readonly advertise: string;
  readonly partner: string;
  readonly speed: string;
  readonly driver: string;
  readonly energy: string;
}

/** For the first of these ends; for Linux and macOS where none is known. */
export function nicCommands(ends: readonly End[]): NicCommands {
  const [end] = ends;
  // It may come from the other end, or from a file that somebody else has kept.
  const name = shellWord(end?.link.name ?? 'INTERFACE');
  const linux = {
    supported: `ethtool ${name}`,
    advertise: `sudo ethtool -s ${name} autoneg on`,
    partner: `ethtool ${name} | grep -A9 'Link partner'`,
    speed: `cat /sys/class/net/${name}/speed`,
    driver: `ethtool -i ${name}`,
    energy: `ethtool --show-eee ${name}`,
  };
  const service = '"Ethernet"';
  const mac = {
    supported: `networksetup -listValidMedia ${service}`,
    advertise: `sudo networksetup -setMedia ${service} autoselect`,
    partner: `networksetup -getMedia ${service}`,
    speed: `networksetup -getMedia ${service}`,
    driver: 'system_profiler SPEthernetDataType',
    energy: `networksetup -listValidMedia ${service}`,
  };
  if (end?.os !== undefined) return isMac(end.os) ? mac : linux;
  const both = (key: keyof NicCommands): string => `${linux[key]}   (macOS: ${mac[key]})`;
  return {
    supported: both('supported'),
    advertise: both('advertise'),
    partner: both('partner'),
    speed: both('speed'),
    driver: both('driver'),
    energy: both('energy'),
  };
}

/** A cable between two hosts has no DHCP server: each end gets an address of a network that neither uses. */
export function directSteps(ends: readonly End[], taken: readonly string[]): string[] {
  const network =
    DIRECT_NETWORKS.find((candidate) => !taken.some((subnet) => subnet.startsWith(candidate.slice(0, candidate.lastIndexOf('.'))))) ??
    DIRECT_NETWORKS[0] ??
    '';
  const address = (i: number): string => `${network}.${i + 1}`;
  const sides = (['near', 'far'] as const).flatMap((side, i) => {
    const end = ends.find((each) => each.side === side);
    const name = end?.name ?? (i === 0 ? 'this host' : 'the other host');
    // What is not known would only be written twice.
    if (i === 1 && end === undefined) return [`${name}: the same with ${address(1)} in place of ${address(0)}`];
    return addressSteps(name, end?.os, address(i));
  });
  return [
    'plug the cable into a free port of each host; twisted pair needs no crossover cable',
    ...sides,
    `on the other host, to measure it: tautline serve --bind ${address(1)} --key-file tautline.key`,
    `here: tautline check ${address(1)} --key-file tautline.key`,
    `use it: add the path to tautline.yaml (peers, NAME, paths, direct: ${address(1)}) and give programs the new address; the old network stays the way to everything else`,
  ];
}

const DIRECT_NETWORKS: readonly string[] = ['10.77.0', '192.168.77', '172.29.77'];

function addressSteps(host: string, os: string | undefined, address: string): string[] {
  const mac = [
    `${host} (macOS; networksetup -listallhardwareports names the service): sudo networksetup -setmanual "Ethernet" ${address} 255.255.255.0`,
    `${host} (macOS), only if it does not come up at full speed by itself: sudo networksetup -setMedia "Ethernet" "10Gbase-T <full-duplex>"; networksetup -listValidMedia "Ethernet" lists the words, and autoselect undoes it`,
    `${host} (macOS), to undo: sudo networksetup -setdhcp "Ethernet"`,
  ];
  const linux = [
    `${host} (Linux with NetworkManager): sudo nmcli connection add type ethernet ifname INTERFACE con-name tautline-direct ipv4.method manual ipv4.addresses ${address}/24 ipv6.method link-local; to undo: sudo nmcli connection delete tautline-direct`,
    `${host} (Linux otherwise, until the next start): sudo ip address add ${address}/24 dev INTERFACE && sudo ip link set INTERFACE up; to undo: sudo ip address del ${address}/24 dev INTERFACE`,
  ];
  if (os === undefined) return [...mac, ...linux];
  return isMac(os) ? mac : linux;
}

function isMac(os: string): boolean {
  return /mac|darwin/i.test(os);
}
