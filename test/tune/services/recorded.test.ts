import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordedContainer, recordedMac, recordedMetal, recordedVps, simTuneHost } from '../../../src/sim/index.js';
import type { TuneHostSpec } from '../../../src/sim/index.js';
import { planTune, SETTINGS } from '../../../src/tune/index.js';
import type { Profile } from '../../../src/tune/index.js';
import { SERVICE_SETTINGS } from '../../../src/tune/settings/services.js';
import { createView } from '../../../src/tune/view.js';
import { applyAndUndo } from './served-host.js';

/** Of every setting of services and of macOS a value that would change much. */
const WANTED: Readonly<Record<string, unknown>> = {
  'file-limits': 1_048_576,
  resolver: { servers: ['9.9.9.9'] },
  'ssh-client': { hosts: ['beta*'], compression: true },
  'docker-mtu': 'tailscale',
  'docker-ulimits': 65_536,
  'mss-clamp': 1240,
  'tailscale-accept-routes': 'on',
  'tailscale-exit-node': 'on',
  'tailscale-direct': 'on',
  'udp-gro-forwarding': 'on',
  'unneeded-keys': 'comment-out',
  'net.inet.tcp.autorcvbufmax': 16_777_216,
  'net.inet.tcp.autosndbufmax': 16_777_216,
  'net.inet.tcp.sendspace': 1_048_576,
  'net.inet.tcp.recvspace': 1_048_576,
  'kern.ipc.maxsockbuf': 8_388_608,
  'kern.ipc.somaxconn': 1024,
  'net.inet.tcp.delayed_ack': 0,
  'macos-media': { service: 'Ethernet', media: '10Gbase-T <full-duplex>' },
  'macos-address': { service: 'Ethernet', address: '10.0.0.10', mask: '255.255.255.0' },
};

const PROFILE: Profile = {
  name: 'test',
  title: '',
  about: '',
  risk: 'high',
  exact: false,
  lineage: ['test'],
  settings: Object.entries(WANTED).map(([id, value]) => ({ id, wanted: { value, at: 'test.yaml:1' }, from: 'test' })),
};

const HOSTS: readonly {
  readonly what: string;
  readonly spec: () => TuneHostSpec;
  readonly home: string;
  readonly outcome: readonly string[];
  readonly ran: readonly string[];
}[] = [
  {
    what: 'a rented virtual machine',
    spec: recordedVps,
    home: '/root',
    outcome: [
      'file-limits (services): soft 1024, hard 524288 -> soft 1024, hard 1048576',
      "file-limits (users' services): soft 1024, hard 524288 -> soft 1024, hard 1048576",
      'ssh-client: each connection is set up anew -> ControlMaster auto, ControlPersist 10m for beta*',
      'tailscale-accept-routes: off -> on',
      'tailscale-exit-node: not offered -> offered',
      'file-limits (logins): already',
      'resolver: not-applicable',
      'ssh-client (compression): no-effect',
      'docker-mtu: not-applicable',
      'docker-ulimits: not-applicable',
      'mss-clamp: no-effect',
      'tailscale-direct: no-effect',
      'udp-gro-forwarding: not-applicable',
      'unneeded-keys: already',
    ],
    ran: [],
  },
  {
    what: 'a machine of its own',
    spec: recordedMetal,
    home: '/root',
    outcome: [
      'file-limits (services): soft 1024, hard 524288 -> soft 1024, hard 1048576',
      "file-limits (users' services): soft 1024, hard 524288 -> soft 1024, hard 1048576",
      'resolver: cache yes -> cache yes, servers 9.9.9.9',
      'ssh-client: each connection is set up anew -> ControlMaster auto, ControlPersist 10m for beta*',
      'file-limits (logins): already',
      'ssh-client (compression): no-effect',
      'docker-mtu: not-applicable',
      'docker-ulimits: not-applicable',
      'mss-clamp: not-applicable',
      'tailscale-accept-routes: not-applicable',
      'tailscale-exit-node: not-applicable',
      'tailscale-direct: not-applicable',
      'udp-gro-forwarding: not-applicable',
      'unneeded-keys: already',
    ],
    ran: [],
  },
  {
    what: 'a container',
    spec: recordedContainer,
    home: '/root',
    outcome: [
      'ssh-client: each connection is set up anew -> ControlMaster auto, ControlPersist 10m for beta*',
      'file-limits (logins): not-applicable',
      'file-limits (services): not-applicable',
      "file-limits (users' services): not-applicable",
      'resolver: not-applicable',
      'ssh-client (compression): no-effect',
      'docker-mtu: not-applicable',
      'docker-ulimits: not-applicable',
      'mss-clamp: not-applicable',
      'tailscale-accept-routes: not-applicable',
      'tailscale-exit-node: not-applicable',
      'tailscale-direct: not-applicable',
      'udp-gro-forwarding: not-applicable',
      'unneeded-keys: not-applicable',
    ],
    ran: [],
  },
  {
    what: 'a Mac',
    spec: recordedMac,
    home: '/Users/me',
    outcome: [
      'ssh-client: each connection is set up anew -> ControlMaster auto, ControlPersist 10m for beta*',
      'net.inet.tcp.autorcvbufmax: 4194304 -> 16777216',
      'net.inet.tcp.autosndbufmax: 4194304 -> 16777216',
      'net.inet.tcp.sendspace: 131072 -> 1048576',
      'net.inet.tcp.recvspace: 131072 -> 1048576',
      'kern.ipc.somaxconn: 128 -> 1024',
      'net.inet.tcp.delayed_ack: 3 -> 0',
      'macos-media (Ethernet): autoselect -> 10Gbase-T <full-duplex>',
      'macos-address (Ethernet): DHCP -> 10.0.0.10 255.255.255.0',
      'ssh-client (compression): no-effect',
      'docker-mtu: not-applicable',
      'docker-ulimits: not-applicable',
      'tailscale-accept-routes: not-applicable',
      'tailscale-exit-node: not-applicable',
      'tailscale-direct: not-applicable',
      'kern.ipc.maxsockbuf: already',
    ],
    ran: ['sysctl -a', 'networksetup -getMedia', 'networksetup -getinfo', 'networksetup -listvalidmedia'],
  },
];

describe('settings of services on hosts as they were recorded', () => {
  for (const { what, spec, home, outcome, ran } of HOSTS) {
    test(`on ${what}: each is planned or left with its reason, few programs are run, and all is undone to the byte`, async () => {
      const host = simTuneHost(spec());
      const view = await createView(host.ports, { homeFolder: home });
      host.commands.ran.length = 0;
      const { planned, notDone } = await planTune(view, PROFILE, SETTINGS);
      const programs = host.commands.ran.map((words) => words.slice(0, 2).join(' '));
      const changes = planned.map(
        ({ setting, step }) => `${setting.id}${step.instance === undefined ? '' : ` (${step.instance})`}: ${step.now} -> ${step.proposed}`,
      );
      const left = notDone.map(({ setting, instance, reason }) => `${setting}${instance === undefined ? '' : ` (${instance})`}: ${reason}`);
      assert.deepEqual([...changes, ...left], outcome);
      assert.deepEqual(programs.toSorted(), [...ran].toSorted());
      await applyAndUndo(
        host,
        planned.map(({ step }) => step),
        () => {},
        '/journal',
      );
    });
  }

  test('cover every one of them', () => {
    const known = new Set([...Object.keys(WANTED)]);
    const missing = SERVICE_SETTINGS.filter(({ id, takes }) => !known.has(id) && !takes.startsWith('anything'));
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    );
  });
});
