import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changing, leftFor, planOne } from './tuned-host.js';

const conf4 = (name: string, forwarding: string) => ({ [`/proc/sys/net/ipv4/conf/${name}/forwarding`]: forwarding });

describe('forwarding', () => {
  test('of IPv4 keeps what turning it off again would change by the way, and puts it back last', async () => {
    const step = changing(
      await planOne('net.ipv4.ip_forward', true, {
        sysctls: { 'net.ipv4.conf.all.accept_redirects': '0' },
        values: { ...conf4('all', '0'), ...conf4('eth0', '0'), ...conf4('wg0', '1') },
      }),
    );
    assert.deepEqual(
      step.changes.map(({ place, original, desired }) => [place.kind === 'kernel-value' && place.path, original, desired]),
      [
        ['/proc/sys/net/ipv4/conf/all/accept_redirects', '0', '0'],
        ['/proc/sys/net/ipv4/conf/wg0/forwarding', '1', '1'],
        ['/proc/sys/net/ipv4/ip_forward', '0', '1'],
      ],
    );
    assert.equal(changing(await planOne('net.ipv4.ip_forward', 1)).changes.length, 1);
    leftFor(await planOne('net.ipv4.ip_forward', 0, { sysctls: { 'net.ipv4.ip_forward': '1' } }), 'would-lower');
  });

  test('of IPv6 does not cost the default route that a router announces', async () => {
    const step = changing(await planOne('net.ipv6.conf.all.forwarding', true, { values: { '/proc/sys/net/ipv6/conf/eth0/accept_ra': '1' } }));
    assert.deepEqual(
      step.changes.map(({ desired }) => desired),
      ['2', '1'],
    );
    assert.match(step.notes?.join() ?? '', /accept_ra of eth0 becomes 2/);
    const fixed = { values: { '/proc/sys/net/ipv6/conf/eth0/accept_ra': '0' } };
    assert.equal(changing(await planOne('net.ipv6.conf.all.forwarding', true, fixed)).changes.length, 1);
  });

  test('loosens the reverse path filter only where something filters strictly', async () => {
    const filter = (text: string) => ({ values: { '/proc/sys/net/ipv4/conf/eth0/rp_filter': text } });
    leftFor(await planOne('net.ipv4.conf.all.rp_filter', 2, filter('0')), 'not-applicable');
    assert.match(changing(await planOne('net.ipv4.conf.all.rp_filter', 2, filter('1'))).notes?.join() ?? '', /eth0 filtered strictly/);
  });
});
