import type { SimMachine } from '../control-machine.js';
import type { ProgramAnswer, SimProgram } from '../control-programs.js';

/**
 * sysctl(8) of macOS. What was written is forgotten at a boot.
 * @param caps above which the kernel answers ERANGE
 */
export function sysctl(initial: Readonly<Record<string, string>>, caps: Readonly<Record<string, number>> = {}): SimProgram {
  const keyOf = (name: string): string => `sysctl ${name}`;
  const now = (machine: SimMachine, name: string): string | undefined => machine.kept.get(keyOf(name)) ?? initial[name];
  return (args, { machine, root }) => {
    const bare = args.includes('-n');
    const words = args.filter((arg) => !arg.startsWith('-'));
    if (args.includes('-a'))
      return {
        stdout: `${Object.keys(initial)
          .map((name) => `${name}: ${now(machine, name)}`)
          .join('\n')}\n`,
      };
    const answer = words.map((word): ProgramAnswer => {
      const [name = '', value] = word.split('=');
      const before = now(machine, name);
      if (before === undefined) return { code: 1, stderr: `sysctl: unknown oid '${name}'\n` };
      if (value === undefined) return { stdout: bare ? `${before}\n` : `${name}: ${before}\n` };
      if (!root) return { code: 1, stderr: `sysctl: ${name}=${value}: Operation not permitted\n` };
      if (!/^-?\d+$/.test(value)) return { code: 1, stderr: `sysctl: invalid integer '${value}'\n` };
      if (Number(value) > (caps[name] ?? 2 ** 31 - 1)) return { code: 1, stderr: `sysctl: ${name}=${value}: Result too large\n` };
      const change = (): void => void (value === initial[name] ? machine.kept.delete(keyOf(name)) : machine.kept.set(keyOf(name), value));
      return { stdout: `${name}: ${before} -> ${value}\n`, change };
    });
    return joined(answer);
  };
}

interface Service {
  readonly device: string;
  readonly mac: string;
  /** What `-listvalidmedia` tells; none: it has no media to choose. */
  readonly media: readonly string[];
  /** What autoselect comes to. */
  readonly active: string;
  /** What DHCP gave. */
  readonly address?: string;
  readonly mask?: string;
  readonly router?: string;
}

/** networksetup(8). What was set is kept over a boot. */
export function networksetup(services: Readonly<Record<string, Service>>): SimProgram {
  return (args, { machine, root }) => {
    const [command = '', name = '', ...rest] = args;
    if (command === '-listallnetworkservices') {
      return { stdout: `An asterisk (*) denotes that a network service is disabled.\n${Object.keys(services).join('\n')}\n` };
    }
    if (command === '-listallhardwareports') {
      return {
        stdout: Object.entries(services)
          .map(([port, { device, mac }]) => `\nHardware Port: ${port}\nDevice: ${device}\nEthernet Address: ${mac}\n`)
          .join(''),
      };
    }
    const service = services[name];
    if (!service) return { stdout: `${name} is not a recognized network service.\n** Error: The parameters were not valid.\n` };
    const media = `networksetup media ${name}`;
    const address = `networksetup address ${name}`;
    const keep = (key: string, value: string | undefined): ProgramAnswer => {
      if (!root) return { code: 14, stdout: '** Error: Command requires admin privileges.\n' };
      const change = (): void => {
        if (value === undefined) machine.kept.delete(key);
        else machine.kept.set(key, value);
        machine.keepOverBoot(key);
      };
      return { change };
    };
    switch (command.toLowerCase()) {
      case '-getmedia': {
        const current = machine.kept.get(media) ?? 'autoselect';
        return { stdout: `Current: ${current}\nActive: ${current === 'autoselect' ? service.active : current}\n` };
      }
      case '-listvalidmedia':
        return { stdout: `${service.media.join('\n')}\n` };
      case '-setmedia': {
        const [kind = '', ...options] = rest;
        const asked = options.length === 0 ? kind : `${kind} <${options.join(',')}>`;
        if (!service.media.includes(asked)) return { stdout: `** Error: ${asked} is not a valid media for ${name}.\n` };
        return keep(media, asked === 'autoselect' ? undefined : asked);
      }
      case '-getinfo':
        return { stdout: info(service, machine.kept.get(address)) };
      case '-setmanual':
        return rest.length < 2 ? { stdout: '** Error: The parameters were not valid.\n' } : keep(address, rest.join(' '));
      case '-setdhcp':
        return keep(address, undefined);
      default:
        return undefined;
    }
  };
}

function info({ mac, address = 'none', mask = 'none', router = 'none' }: Service, manual: string | undefined): string {
  const [ip, netmask, gateway = '(null)'] = manual?.split(' ') ?? [];
  const first =
    manual === undefined
      ? `DHCP Configuration\nIP address: ${address}\nSubnet mask: ${mask}\nRouter: ${router}\nClient ID: \n`
      : `Manual Configuration\nIP address: ${ip}\nSubnet mask: ${netmask}\nRouter: ${gateway}\n`;
  return `${first}IPv6: Automatic\nIPv6 IP address: none\nIPv6 Router: none\nEthernet Address: ${mac}\n`;
}

/** launchctl(1): which jobs are loaded. A boot loads what lies in /Library/LaunchDaemons by itself. */
export const launchctl: SimProgram = (args, { machine, root }) => {
  const [command, domain = '', path = ''] = args;
  const label =
    (command === 'bootstrap' ? path : domain)
      .split('/')
      .at(-1)
      ?.replace(/\.plist$/, '') ?? '';
  const key = `launchd ${label}`;
  if (command === 'print' || command === 'list') {
    return machine.kept.has(key)
      ? { stdout: `${label} = {\n\tstate = waiting\n}\n` }
      : { code: 113, stderr: `Could not find service "${label}" in domain for system\n` };
  }
  if (!root) return { code: 1, stderr: 'Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n' };
  if (command === 'bootstrap') {
    if (machine.tree.at(path) === undefined) return { code: 5, stderr: 'Bootstrap failed: 5: Input/output error\n' };
    return { change: () => void machine.kept.set(key, path) };
  }
  if (command === 'bootout') {
    if (!machine.kept.has(key)) return { code: 3, stderr: 'Boot-out failed: 3: No such process\n' };
    return { change: () => void machine.kept.delete(key) };
  }
  return undefined;
};

/** One program's answers to several questions. */
function joined(answered: readonly ProgramAnswer[]): ProgramAnswer {
  const changes = answered.flatMap(({ change }) => change ?? []);
  return {
    code: Math.max(0, ...answered.map(({ code = 0 }) => code)),
    stdout: answered.map(({ stdout = '' }) => stdout).join(''),
    stderr: answered.map(({ stderr = '' }) => stderr).join(''),
    ...(changes.length === 0 ? {} : { change: () => changes.forEach((change) => change()) }),
  };
}
