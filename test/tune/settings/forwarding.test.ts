import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simTuneHost } from '../../../src/sim/index.js';
import type { SimTuneHost } from '../../../src/sim/index.js';
import { commandsOf, placeHolds, readPlace, showState, writePlace } from '../../../src/tune/places/registry.js';
import { CARD, changing, leftFor, planOne } from './tuned-host.js';

const conf4 = (name: string, forwarding: string) => ({ [`/proc/sys/net/ipv4/conf/${name}/forwarding`]: forwarding });

describe('forwarding', () => {
  test('of IPv4 keeps what turning it off again would change by the way', async () => {
    const step = changing(
      await planOne('net.ipv4.ip_forward', true, {
        sysctls: { 'net.ipv4.conf.all.accept_redirects': '0' },
        values: { ...conf4('all', '0'), ...conf4('eth0', '0'), ...conf4('wg0', '1') },
      }),
    );
    assert.deepEqual(step.changes, [
      {
        place: { kind: 'forwarding', family: 4 },
        original: { ip_forward: 0, 'conf/all/accept_redirects': 0, 'conf/eth0/forwarding': 0, 'conf/wg0/forwarding': 1 },
        desired: { ip_forward: 1 },
      },
    ]);
    assert.equal(changing(await planOne('net.ipv4.ip_forward', 1)).changes.length, 1);
    leftFor(await planOne('net.ipv4.ip_forward', 0, { sysctls: { 'net.ipv4.ip_forward': '1' } }), 'would-lower');
  });

  test('of IPv6 does not cost the default route that a router announces', async () => {
    const step = changing(await planOne('net.ipv6.conf.all.forwarding', true, { values: { '/proc/sys/net/ipv6/conf/eth0/accept_ra': '1' } }));
    assert.deepEqual(step.changes[0]?.desired, { 'conf/eth0/accept_ra': 2, 'conf/all/forwarding': 1 });
    assert.deepEqual(
      step.persist.map((one) => one.by === 'sysctl' && `${one.key}=${one.value}`),
      ['net.ipv6.conf.eth0.accept_ra=2', 'net.ipv6.conf.all.forwarding=1'],
    );
    assert.match(step.notes?.join() ?? '', /accept_ra of eth0 becomes 2/);
    const fixed = { values: { '/proc/sys/net/ipv6/conf/eth0/accept_ra': '0' } };
    assert.deepEqual(changing(await planOne('net.ipv6.conf.all.forwarding', true, fixed)).changes[0]?.desired, { 'conf/all/forwarding': 1 });
  });

  test('turns the merging of packets off itself first, which the kernel would do by the way and never undo', async () => {
    const card = { ...CARD, features: { ...CARD.features, 'large-receive-offload': { on: true } } };
    for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
      const step = changing(await planOne(key, 1, { interfaces: [card] }));
      assert.deepEqual(
        step.changes.map(({ place }) => place.kind),
        ['offloads', 'forwarding'],
      );
      assert.deepEqual(step.changes[0]?.desired, { 'large-receive-offload': false });
      assert.equal((step.changes[0]?.original as Record<string, boolean>)['large-receive-offload'], true);
      assert.match(step.notes?.join() ?? '', /large-receive-offload of eth0 goes off/);
    }
  });

  test('loosens the reverse path filter only where something filters strictly', async () => {
    const filter = (text: string) => ({ values: { '/proc/sys/net/ipv4/conf/eth0/rp_filter': text } });
    leftFor(await planOne('net.ipv4.conf.all.rp_filter', 2, filter('0')), 'not-applicable');
    assert.match(changing(await planOne('net.ipv4.conf.all.rp_filter', 2, filter('1'))).notes?.join() ?? '', /eth0 filtered strictly/);
  });
});

describe('the place of forwarding', () => {
  const IPV4 = '/proc/sys/net/ipv4';
  /** Forwarding that is tied to the rest as in the kernel. */
  function tied(): SimTuneHost {
    const follow: Record<string, (text: string) => string> = { [`${IPV4}/conf/all/accept_redirects`]: (text) => (text === '1' ? '0' : '1') };
    for (const name of ['default', 'eth0', 'wg0']) follow[`${IPV4}/conf/${name}/forwarding`] = (text) => text;
    return simTuneHost({
      name: 'router',
      host: { addresses: ['192.0.2.1'] },
      values: {
        [`${IPV4}/ip_forward`]: { text: '0', accepts: ['0', '1'], follow },
        [`${IPV4}/conf/all/accept_redirects`]: '0',
        ...conf4('default', '0'),
        ...conf4('eth0', '0'),
        ...conf4('wg0', '1'),
      },
    });
  }
  const ref = { kind: 'forwarding', family: 4 } as const;

  test('brings back what the kernel changed by the way', async () => {
    const host = tied();
    const before = host.snapshot();
    const original = (await readPlace(host.ports, ref)) ?? assert.fail();
    await writePlace(host.ports, ref, { ip_forward: 1 });
    const found = (await readPlace(host.ports, ref)) ?? assert.fail();
    assert.equal(placeHolds(ref, found, { ip_forward: 1 }), true);
    assert.equal(placeHolds(ref, found, original), false);
    assert.equal(await host.ports.control.readValue(`${IPV4}/conf/eth0/forwarding`), '1');
    await writePlace(host.ports, ref, original);
    assert.equal(host.snapshot(), before);
  });

  test('is as it was left when interfaces come and go, and not when somebody changes one', async () => {
    const left = { ip_forward: 1, 'conf/all/accept_redirects': 0, 'conf/eth0/forwarding': 1, 'conf/wg0/forwarding': 1 };
    const { 'conf/wg0/forwarding': gone, ...without } = left;
    assert.equal(gone, 1);
    assert.equal(placeHolds(ref, without, left), true);
    assert.equal(placeHolds(ref, { ...left, 'conf/veth7/forwarding': 0 }, left), true);
    assert.equal(placeHolds(ref, { ...left, 'conf/eth0/forwarding': 0 }, left), false);
  });

  test('is written by commands in the order that keeps learnt routes', () => {
    const six = { kind: 'forwarding', family: 6 } as const;
    const keys = (commands: readonly string[]): string[] => commands.map((line) => line.slice(line.indexOf('/proc/sys/net/ipv6/') + 19));
    const at = (forwarding: number, learning: number) => ({ 'conf/all/forwarding': forwarding, 'conf/eth0/accept_ra': learning });
    assert.deepEqual(keys(commandsOf(six, at(1, 2))), ['conf/eth0/accept_ra', 'conf/all/forwarding']);
    assert.deepEqual(keys(commandsOf(six, at(0, 1))), ['conf/all/forwarding', 'conf/eth0/accept_ra']);
    assert.equal(showState(six, at(0, 1), at(1, 2)), '0, conf/eth0/accept_ra 1');
  });

  test('is not there on a kernel without it', async () => {
    assert.equal(await readPlace(tied().ports, { kind: 'forwarding', family: 6 }), undefined);
  });
});
