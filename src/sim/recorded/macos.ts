import { answers } from '../control-programs.js';
import type { TuneHostSpec } from '../tune-host.js';
import { launchctl, networksetup, sysctl } from './macos-programs.js';

/** `sysctl -a` of macOS 14 on Apple silicon, as far as tuning looks at it. */
const SYSCTLS: Readonly<Record<string, string>> = {
  'kern.ostype': 'Darwin',
  'kern.osrelease': '23.6.0',
  'kern.osproductversion': '14.6.1',
  'kern.boottime': '{ sec = 1763700000, usec = 123456 } Fri Nov 21 05:40:00 2025',
  'kern.bootsessionuuid': '0B7D7F6E-0C54-4D0A-9C12-5A0F3B1E7C2D',
  'kern.maxfiles': '491520',
  'kern.maxfilesperproc': '245760',
  'kern.ipc.maxsockbuf': '8388608',
  'kern.ipc.somaxconn': '128',
  'net.inet.tcp.sendspace': '131072',
  'net.inet.tcp.recvspace': '131072',
  'net.inet.tcp.autorcvbufmax': '4194304',
  'net.inet.tcp.autosndbufmax': '4194304',
  'net.inet.tcp.doautorcvbuf': '1',
  'net.inet.tcp.doautosndbuf': '1',
  'net.inet.tcp.delayed_ack': '3',
  'net.inet.tcp.mssdflt': '512',
  'net.inet.tcp.win_scale_factor': '3',
  'net.inet.tcp.sack': '1',
  'net.inet.tcp.fastopen': '3',
  'net.inet.tcp.ecn_initiate_out': '2',
  'net.inet.tcp.ecn_negotiate_in': '2',
  'net.inet.udp.recvspace': '786896',
  'net.inet.udp.maxdgram': '9216',
  'net.inet.ip.forwarding': '0',
  'hw.model': 'Mac14,13',
  'hw.ncpu': '12',
};

/** A Mac Studio with macOS 14 and 10 Gbit/s Ethernet. Its programs print what those of macOS do and keep what they are told. */
export function recordedMac(): TuneHostSpec {
  return {
    name: 'studio',
    host: {
      addresses: ['192.168.1.20'],
      gateway: '192.168.1.1',
      resolvers: ['192.168.1.1'],
      identity: { os: 'macOS', kernel: '23.6.0', arch: 'arm64', cpus: 12, cpuModel: 'Apple M2 Max', memoryBytes: 64 * 2 ** 30, node: '22.12.0' },
      interfaces: [{ name: 'en0', addresses: ['192.168.1.20/24'], mac: '1c:1d:d3:aa:bb:cc', mtu: 1500, speedBps: 10e9 }],
    },
    folders: {
      '/Library/LaunchDaemons': 0o755,
      '/Users/me': 0o755,
      '/Users/me/.ssh': 0o700,
      '/var/root': 0o750,
      '/usr/local': 0o755,
      '/etc': 0o755,
      '/private/var/db': 0o755,
    },
    files: {
      '/System/Library/CoreServices/SystemVersion.plist':
        '<plist version="1.0"><dict><key>ProductVersion</key><string>14.6.1</string></dict></plist>\n',
      '/etc/resolv.conf': '#\n# macOS Notice\n#\n# This file is not consulted for DNS hostname resolution\nnameserver 192.168.1.1\n',
      '/Users/me/.ssh/config': { text: 'Host beta\n  HostName 192.168.1.21\n', mode: 0o600, ownerId: 501, groupId: 20 },
    },
    programs: {
      nft: undefined,
      sysctl: sysctl(SYSCTLS, {
        'kern.ipc.maxsockbuf': 8_388_608,
        'net.inet.tcp.autorcvbufmax': 33_554_432,
        'net.inet.tcp.autosndbufmax': 33_554_432,
      }),
      networksetup: networksetup({
        Ethernet: {
          device: 'en0',
          mac: '1c:1d:d3:aa:bb:cc',
          media: [
            'autoselect',
            '10baseT/UTP <half-duplex>',
            '100baseTX <full-duplex>',
            '1000baseT <full-duplex>',
            '2500Base-T <full-duplex>',
            '10Gbase-T <full-duplex>',
          ],
          active: '10Gbase-T <full-duplex>',
          address: '192.168.1.20',
          mask: '255.255.255.0',
          router: '192.168.1.1',
        },
        'Wi-Fi': { device: 'en1', mac: '1c:1d:d3:aa:bb:cd', media: [], active: 'autoselect' },
      }),
      launchctl,
      ioreg: answers({
        '-rd1 -c IOPlatformExpertDevice':
          '+-o Mac14,13  <class IOPlatformExpertDevice>\n    {\n      "IOPlatformUUID" = "6A1B2C3D-4E5F-4A5B-8C7D-9E0F1A2B3C4D"\n    }\n',
      }),
    },
    place: { machine: '6A1B2C3D-4E5F-4A5B-8C7D-9E0F1A2B3C4D', network: 'none' },
  };
}
