import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { recordedContainer, recordedMac, recordedMetal, recordedVps, simTuneHost } from '../../src/sim/index.js';
import { readEnvironment } from '../../src/tune/environment.js';
import { readPlace, writePlace } from '../../src/tune/index.js';

const LINUX = { vps: recordedVps, metal: recordedMetal, container: recordedContainer };

describe('recorded hosts', () => {
  for (const [name, record] of Object.entries(LINUX)) {
    test(`${name}: takes back every value as it reads, and is then as before`, async () => {
      const host = simTuneHost(record());
      const before = host.snapshot();
      let written = 0;
      for (const path of host.machine.values.paths()) {
        if (!(await host.control.mayWrite(path))) continue;
        const ref = { kind: 'kernel-value', path, choice: true } as const;
        const value = await readPlace(host.ports, ref);
        assert.ok(value !== undefined, path);
        await writePlace(host.ports, ref, value).catch((error: unknown) => {
          throw new Error(`${path} does not take '${value}' back`, { cause: error });
        });
        written++;
      }
      assert.equal(host.snapshot(), before);
      assert.ok(name === 'container' ? written === 0 : written > 100, `${written} values`);
    });

    test(`${name}: is the same after a power cut when nothing was changed`, () => {
      const host = simTuneHost(record());
      const before = host.snapshot();
      host.powerCut();
      assert.equal(host.snapshot(), before);
    });
  }

  test('tell what kind of host they are', async () => {
    const kinds = await Promise.all(
      [...Object.values(LINUX), recordedMac].map(async (record) => {
        const { kind, virtualization, provider, init } = await readEnvironment(simTuneHost(record()).ports);
        return [kind, virtualization, provider, init].join(' ');
      }),
    );
    assert.deepEqual(kinds, [
      'vm kvm hetzner-cloud systemd',
      'metal  hetzner-dedicated systemd',
      'container docker hetzner-cloud other',
      'metal   launchd',
    ]);
  });

  test('choosing a congestion control loads it, and it stays loaded without being a change', async () => {
    const host = simTuneHost(recordedVps());
    const before = host.snapshot();
    const chosen = '/proc/sys/net/ipv4/tcp_congestion_control';
    await host.control.writeValue(chosen, 'bbr\n');
    assert.equal(await host.control.readValue('/proc/sys/net/ipv4/tcp_available_congestion_control'), 'reno cubic bbr');
    await assert.rejects(host.control.writeValue(chosen, 'bbr9\n'), (error) => error instanceof TautlineError && error.code === 'unsupported');
    await host.control.writeValue(chosen, 'cubic\n');
    assert.equal(host.snapshot(), before);
  });

  test("an interrupt's mask and list are one thing", async () => {
    const host = simTuneHost(recordedMetal());
    await host.control.writeValue('/proc/irq/121/smp_affinity_list', '1-3,8\n');
    assert.equal(await host.control.readValue('/proc/irq/121/smp_affinity'), '010e');
    await host.control.writeValue('/proc/irq/121/smp_affinity', '6\n');
    assert.equal(await host.control.readValue('/proc/irq/121/smp_affinity_list'), '1-2');
    await assert.rejects(host.control.writeValue('/proc/irq/121/smp_affinity_list', '99\n'), TautlineError);
  });

  test('a Mac keeps what its programs set: addresses over a boot, kernel values not', async () => {
    const host = simTuneHost(recordedMac());
    const before = host.snapshot();
    const sysctl = { kind: 'macos-sysctl', name: 'net.inet.tcp.sendspace' } as const;
    const media = { kind: 'macos-media', service: 'Ethernet' } as const;
    const address = { kind: 'macos-address', service: 'Ethernet' } as const;
    assert.deepEqual(await readPlace(host.ports, media), { media: 'autoselect', options: [] });
    assert.deepEqual(await readPlace(host.ports, address), { by: 'dhcp' });
    await writePlace(host.ports, sysctl, '1048576');
    await writePlace(host.ports, media, { media: '10Gbase-T', options: ['full-duplex'] });
    await writePlace(host.ports, address, { by: 'manual', address: '10.0.0.10', mask: '255.255.255.0' });
    assert.equal(await readPlace(host.ports, sysctl), '1048576');
    assert.deepEqual(await readPlace(host.ports, media), { media: '10Gbase-T', options: ['full-duplex'] });
    await assert.rejects(
      writePlace(host.ports, { kind: 'macos-sysctl', name: 'kern.ipc.maxsockbuf' }, '16777216'),
      (error) => error instanceof TautlineError && error.code === 'unsupported',
    );
    host.reboot();
    assert.equal(await readPlace(host.ports, sysctl), '131072');
    assert.deepEqual(await readPlace(host.ports, address), { by: 'manual', address: '10.0.0.10', mask: '255.255.255.0' });
    await writePlace(host.ports, media, { media: 'autoselect', options: [] });
    await writePlace(host.ports, address, { by: 'dhcp' });
    assert.equal(host.snapshot(), before);
  });
});
