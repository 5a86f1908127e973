import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SimProgram } from '../../../src/sim/index.js';
import { applyChange, commandsOf, readPlace, writePlace } from '../../../src/tune/index.js';
import { parseAddress } from '../../../src/tune/places/macos-address.js';
import { parseMedia, readMedia } from '../../../src/tune/places/macos-media.js';
import { parseSysctls } from '../../../src/tune/places/macos-sysctl.js';
import { applyAndUndo, changing, leftFor, planOn, problemOf, served } from './served-host.js';
import type { Served } from './served-host.js';

/** As macOS 15 prints them on a 10 Gbit/s Mac, beside lines that are no values of ours. */
const VALUES: Readonly<Record<string, string>> = {
  'kern.ipc.maxsockbuf': '8388608',
  'kern.ipc.somaxconn': '128',
  'net.inet.tcp.sendspace': '131072',
  'net.inet.tcp.recvspace': '131072',
  'net.inet.tcp.autorcvbufmax': '4194304',
  'net.inet.tcp.autosndbufmax': '4194304',
  'net.inet.tcp.delayed_ack': '3',
};
/** What this kernel takes at most of kern.ipc.maxsockbuf. */
const CAP = 8_388_608;

const sysctl: SimProgram = (args, { machine, root }) => {
  const now = (name: string): string | undefined => machine.kept.get(`sysctl ${name}`) ?? VALUES[name];
  if (args.join() === '-a')
    return {
      stdout: `hw.ncpu: 10\n${Object.keys(VALUES)
        .map((name) => `${name}: ${now(name)}\n`)
        .join('')}vm.loadavg: { 2.1 1.9 1.8 }\n`,
    };
  const [verb, word = ''] = args;
  if (verb === '-n') return now(word) === undefined ? { code: 1, stderr: `sysctl: unknown oid '${word}'\n` } : { stdout: `${now(word)}\n` };
  const [name = '', value = ''] = word.split('=');
  if (!root) return { code: 1, stderr: `sysctl: ${name}=${value}: Operation not permitted\n` };
  if (name === 'kern.ipc.maxsockbuf' && Number(value) > CAP) return { code: 1, stderr: `sysctl: ${name}=${value}: Result too large\n` };
  const key = `sysctl ${name}`;
  return {
    stdout: `${name}: ${now(name)} -> ${value}\n`,
    change: () => (value === VALUES[name] ? machine.kept.delete(key) : machine.kept.set(key, value)),
  };
};

const MEDIA =
  'autoselect\nautoselect <flow-control>\n100baseTX <full-duplex>\n1000baseT <full-duplex>\n10Gbase-T <full-duplex>\n10Gbase-T <full-duplex,flow-control>\n';

const networksetup: SimProgram = ([verb = '', service = '', ...rest], { machine }) => {
  if (service !== 'Ethernet')
    return { code: 4, stdout: `${service} is not a recognized network service.\n** Error: The parameters were not valid.\n` };
  const keep = (what: string, value: string, usual: string) => () => (value === usual ? machine.kept.delete(what) : machine.kept.set(what, value));
  switch (verb) {
    case '-getMedia':
      return { stdout: `Current: ${machine.kept.get('media') ?? 'autoselect'}\nActive: 1000baseT <full-duplex,flow-control>\n` };
    case '-listvalidmedia':
      return { stdout: MEDIA };
    case '-setMedia':
      return { change: keep('media', rest.length > 1 ? `${rest[0]} <${rest.slice(1).join(',')}>` : (rest[0] ?? ''), 'autoselect') };
    case '-getinfo':
      return {
        stdout:
          machine.kept.get('address') ??
          'DHCP Configuration\nIP address: 192.168.1.7\nSubnet mask: 255.255.255.0\nRouter: 192.168.1.1\nClient ID: \nIPv6: Automatic\n',
      };
    case '-setmanual':
      return {
        change: keep('address', `Manual Configuration\nIP address: ${rest[0]}\nSubnet mask: ${rest[1]}\nRouter: ${rest[2] ?? '(null)'}\n`, ''),
      };
    case '-setdhcp':
      return { change: keep('address', '', '') };
    default:
      return { code: 1 };
  }
};

const MAC: Served = {
  os: 'macOS 15.1',
  kernel: '24.1.0',
  programs: { sysctl, networksetup, nft: undefined },
  environment: { kind: 'metal', init: 'launchd' },
};
const one = async (id: string, value: unknown, given: Served = MAC, exact = false) => (await planOn((await served(given)).view, id, value, exact))[0];

describe('kernel values of macOS', () => {
  test('are raised, kept by a line for the boot, and put back', async () => {
    const { host, view } = await served(MAC);
    const [step] = await planOn(view, 'net.inet.tcp.autorcvbufmax', 16_777_216);
    assert.deepEqual(
      [changing(step).now, changing(step).persist],
      ['4194304', [{ by: 'sysctl', key: 'net.inet.tcp.autorcvbufmax', value: '16777216' }]],
    );
    await applyAndUndo(host, [changing(step)], async () => {
      assert.equal(await readPlace(host.ports, { kind: 'macos-sysctl', name: 'net.inet.tcp.autorcvbufmax' }), '16777216');
    });
  });

  test('of a whole plan cost one process', async () => {
    const { host, view } = await served(MAC);
    host.commands.ran.length = 0;
    await Promise.all(
      Object.keys(VALUES).map((name) => planOn(view, name, name.endsWith('delayed_ack') ? 3 : name.endsWith('somaxconn') ? 1024 : 16_777_216)),
    );
    assert.deepEqual(host.commands.ran, [['sysctl', '-a']]);
  });

  test('are never lowered, unless the profile is exact', async () => {
    assert.match(leftFor(await one('kern.ipc.maxsockbuf', 1_048_576), 'would-lower'), /8388608 already, which is more/);
    assert.equal(changing(await one('kern.ipc.maxsockbuf', 1_048_576, MAC, true)).proposed, '1048576');
    leftFor(await one('kern.ipc.maxsockbuf', 8_388_608), 'already');
  });

  test('that the kernel refuses are told, and everything is put back', async () => {
    const { host, view } = await served(MAC);
    const steps = [...(await planOn(view, 'net.inet.tcp.sendspace', 1_048_576)), ...(await planOn(view, 'kern.ipc.maxsockbuf', 16_777_216))];
    assert.ok(changing(steps[1]).notes?.some((note) => note.includes('ERANGE')));
    const before = host.snapshot({ without: ['/Library'] });
    const report = await applyChange(host.ports, {
      folder: '/Library/Application Support/tautline',
      profile: 'test',
      persist: false,
      steps: steps.flatMap((step) => changing(step).changes.map((change) => ({ setting: 'test', ...change }))),
    });
    assert.equal(report.state, 'rolled-back');
    assert.match(JSON.stringify(report), /16777216 is more than this kernel takes/);
    assert.equal(host.snapshot({ without: ['/Library'] }), before);
  });

  test('that this release does not have are absent', async () => {
    const old: Served = { ...MAC, programs: { ...MAC.programs, sysctl: (args) => (args[0] === '-a' ? { stdout: 'hw.ncpu: 4\n' } : undefined) } };
    leftFor(await one('net.inet.tcp.sendspace', 1_048_576, old), 'absent');
  });

  test('take numbers that fit', () => {
    for (const [id, value] of [
      ['net.inet.tcp.delayed_ack', 4],
      ['kern.ipc.somaxconn', 100_000],
      ['kern.ipc.maxsockbuf', '8M'],
      ['net.inet.tcp.sendspace', 1.5],
    ] as const) {
      assert.notEqual(problemOf(id, value), '');
    }
  });

  test('are read from what sysctl prints, in either way of printing', () => {
    const found = parseSysctls('a.b: 1\nc.d = 4096\t8192\nnoise\ne.f: \n');
    assert.deepEqual(
      [...found],
      [
        ['a.b', '1'],
        ['c.d', '4096 8192'],
        ['e.f', ''],
      ],
    );
  });
});

describe('media and address of a network service', () => {
  const media = { service: 'Ethernet', media: '10Gbase-T <full-duplex>' };

  test('are set as networksetup takes them, and put back', async () => {
    const { host, view } = await served(MAC);
    const [step] = await planOn(view, 'macos-media', media);
    assert.deepEqual([changing(step).now, changing(step).proposed], ['autoselect', '10Gbase-T <full-duplex>']);
    await applyAndUndo(host, [changing(step)], () => assert.equal(host.machine.kept.get('media'), '10Gbase-T <full-duplex>'));
    const [address] = await planOn(view, 'macos-address', { service: 'Ethernet', address: '10.0.0.10', mask: '255.255.255.0' });
    assert.deepEqual([changing(address).now, changing(address).proposed], ['DHCP', '10.0.0.10 255.255.255.0']);
    await applyAndUndo(host, [changing(address)], async () => {
      const place = { kind: 'macos-address', service: 'Ethernet' } as const;
      assert.deepEqual(await readPlace(host.ports, place), { by: 'manual', address: '10.0.0.10', mask: '255.255.255.0' });
    });
  });

  test('that the card cannot do, or of a service that is not there, are refused', async () => {
    assert.match(leftFor(await one('macos-media', { ...media, media: '40Gbase-CR4' }), 'absent'), /-listvalidmedia 'Ethernet'/);
    assert.match(leftFor(await one('macos-media', { ...media, service: 'Wi-Fi' }), 'absent'), /-listallnetworkservices/);
    assert.match(leftFor(await one('macos-address', { service: 'Wi-Fi', by: 'dhcp' }), 'absent'), /no network service/);
    leftFor(await one('macos-address', { service: 'Ethernet', by: 'dhcp' }), 'already');
  });

  test('stay words of one command, whatever the service is called', () => {
    const place = { kind: 'macos-media', service: "Ana's $(id) Ethernet" } as const;
    assert.deepEqual(commandsOf(place, { media: 'autoselect', options: [] }), ["networksetup -setMedia 'Ana'\\''s $(id) Ethernet' autoselect"]);
  });

  test('are not set by a user without rights', async () => {
    const denied: Served = {
      ...MAC,
      programs: { ...MAC.programs, networksetup: () => ({ code: 14, stderr: '** Error: Command requires admin privileges.\n' }) },
    };
    const { host } = await served(denied);
    await assert.rejects(writePlace(host.ports, { kind: 'macos-media', service: 'Ethernet' }, { media: 'autoselect', options: [] }), {
      code: 'permission',
    });
  });

  test('are read from what networksetup prints', () => {
    assert.deepEqual(parseMedia('Current: 10Gbase-T <full-duplex,flow-control>\nActive: none\n'), {
      media: '10Gbase-T',
      options: ['full-duplex', 'flow-control'],
    });
    assert.deepEqual(readMedia('autoselect'), { media: 'autoselect', options: [] });
    assert.equal(readMedia('10Gbase-T <full-duplex'), undefined);
    assert.deepEqual(parseAddress('Manual Configuration\nIP address: 10.0.0.1\nSubnet mask: 255.0.0.0\nRouter: (null)\n'), {
      by: 'manual',
      address: '10.0.0.1',
      mask: '255.0.0.0',
    });
    assert.equal(parseAddress('BOOTP Configuration\nIP address: 10.0.0.1\n'), undefined);
  });

  test('take services, media and addresses only', () => {
    for (const value of [
      'autoselect',
      { service: '-x', media: 'autoselect' },
      { service: 'a\nb', media: 'autoselect' },
      { service: 'Ethernet', media: '10G; rm' },
    ]) {
      assert.notEqual(problemOf('macos-media', value), '');
    }
    for (const value of [
      { service: 'Ethernet', address: '10.0.0.300', mask: '255.255.255.0' },
      { service: 'Ethernet', address: '10.0.0.1', mask: '255.0.255.0' },
      { service: 'Ethernet', address: '10.0.0.1' },
      { service: 'Ethernet', address: '10.0.0.1', mask: '255.255.255.0', by: 'dhcp' },
    ]) {
      assert.notEqual(problemOf('macos-address', value), '');
    }
  });
});
