import { TautlineError } from '../../base/index.js';
import type { HostControl } from '../../base/index.js';
import { libcUnavailable, loadLibc } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import { clearTcpMetrics, readChannelCounts, writeChannels, writeCoalescing, writeFeatures, writeRings, writeRootQueue } from '../netlink/index.js';
import type { Device, Refusal } from '../netlink/index.js';

/** The part of `HostControl` that changes network interfaces: over netlink on Linux, `unsupported` elsewhere. */
export type LinkControl = Pick<
  HostControl,
  'setFeatures' | 'setCoalescing' | 'setRings' | 'setChannels' | 'readChannels' | 'setRootQueue' | 'forgetTcpMetrics'
>;

export function createLinkControl(): LinkControl {
  return {
    setFeatures: (name, features) => changing(name, 'the offloads', (libc, device) => writeFeatures(libc, device, features)),
    setCoalescing: (name, values) => changing(name, 'the interrupt coalescing', (libc, device) => writeCoalescing(libc, device, values)),
    setRings: (name, values) => changing(name, 'the rings', (libc, device) => writeRings(libc, device, values)),
    setChannels: (name, values) => changing(name, 'the number of queues', (libc, device) => writeChannels(libc, device, values)),
    setRootQueue: (name, kind) => changing(name, 'the queue discipline', (libc, device) => writeRootQueue(libc, device, kind)),
    readChannels: (name) =>
      promised(() => {
        const libc = linuxLibc('the number of queues');
        const found = readChannelCounts(libc, deviceOf(libc, name));
        if (found === undefined || !('error' in found)) return found;
        throw errorOf(found, `tell the number of queues of ${name}`);
      }),
    forgetTcpMetrics: () =>
      promised(() => {
        const refusal = clearTcpMetrics(linuxLibc('what TCP learnt of other hosts'));
        if (refusal) throw errorOf(refusal, 'forget what TCP learnt of other hosts');
      }),
  };
}

function changing(name: string, what: string, work: (libc: Libc, device: Device) => Refusal | undefined): Promise<void> {
  return promised(() => {
    const libc = linuxLibc(what);
    const refusal = work(libc, deviceOf(libc, name));
    if (refusal) throw errorOf(refusal, `change ${what} of ${name}`);
  });
}

/** The kernel answers within the call; what it throws is the promise's. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function linuxLibc(what: string): Libc {
  const libc = loadLibc();
  if (libc?.platform === 'linux') return libc;
  if (libc) throw new TautlineError('unsupported', `${what} cannot be changed on this system`, { hint: 'only Linux lets it be changed' });
  throw new TautlineError('unsupported', `${what} cannot be changed: ${libcUnavailable() ?? "the system's functions cannot be called"}`, {
    hint: 'install tautline with its optional packages (npm install), or run what `tautline tune plan --script` prints',
  });
}

function deviceOf(libc: Libc, name: string): Device {
  const index = libc.if_nametoindex(name);
  if (index > 0) return { index, name };
  throw new TautlineError('unsupported', `there is no network interface ${name}`, { hint: '`ip link` lists those that there are' });
}

/** What the kernel means when a device, a driver or a value does not fit, rather than that something broke. */
const DOES_NOT_FIT: readonly string[] = ['EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ERANGE', 'ENOENT', 'ENODEV', 'EEXIST', 'E2BIG'];

function errorOf({ error, reason }: Refusal, what: string): TautlineError {
  const message = `the kernel does not ${what}: ${reason === undefined ? error : `${reason} (${error})`}`;
  if (error === 'EPERM' || error === 'EACCES') {
    return new TautlineError('permission', message, { hint: 'run it as root, or with the capability CAP_NET_ADMIN in this network namespace' });
  }
  if (error === 'EBUSY' || error === 'ENETDOWN')
    return new TautlineError('io', message, { hint: 'another program uses it, or it is down: try again when it is free and up' });
  if (DOES_NOT_FIT.includes(error))
    return new TautlineError('unsupported', message, { hint: 'this kernel or driver does not have it: leave it out of the profile' });
  return new TautlineError('io', message);
}
