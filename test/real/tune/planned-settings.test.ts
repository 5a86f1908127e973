import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Step } from '../../../src/tune/index.js';
import { SYSCTLS } from '../../../src/tune/settings/linux/sysctls.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import type { Namespace } from '../../lab/namespaces.js';
import type { Planned } from '../../lab/plan-program.js';
import { mustRun } from '../../lab/processes.js';
import { runUml, whyNoUml } from '../uml/uml.js';

const PROGRAM = fileURLToPath(new URL('../../lab/plan-program.js', import.meta.url));
const skip = (await whyNoNamespaces()) ?? false;
const noUml = (await whyNoUml()) ?? false;

type Request = {
  readonly wanted: readonly (readonly [string, unknown])[];
  readonly interfaces?: readonly string[];
  readonly exact?: boolean;
  readonly try?: boolean;
};

async function plan(near: Namespace, request: Request): Promise<Map<string, Planned>> {
  const printed = await mustRun(near.inside([process.execPath, PROGRAM, JSON.stringify(request)]));
  return new Map((JSON.parse(printed) as Planned[]).map((one) => [one.id, one]));
}

const reasonOf = (step: Step | undefined): string | undefined => (step?.verdict === 'not-done' ? step.reason : step?.verdict);

describe('settings in a network namespace of a real kernel', { skip }, () => {
  const own = SYSCTLS.filter(({ reach }) => reach === 'namespace');

  test('the keys that every namespace has are there, and are told from those of the whole kernel', async () => {
    await withPath(async ({ near }) => {
      const planned = await plan(near, { wanted: SYSCTLS.map(({ id, example }) => [id, example]) });
      const kernel = Number((await near.sh('uname -r')).split('.')[0]);
      for (const row of own.filter(({ effect }) => effect !== 'none')) {
        const [step] = planned.get(row.id)?.steps ?? [];
        // optmem_max is a namespace's own since 6.9.
        if (row.id !== 'net.core.optmem_max' && kernel >= 5)
          assert.match(String(reasonOf(step)), /^(?:change|already|would-lower)$/, `${row.id}: ${JSON.stringify(step)}`);
      }
      for (const row of SYSCTLS.filter(({ id, reach, effect }) => reach === 'host' && id.startsWith('net.') && effect !== 'none')) {
        const [step] = planned.get(row.id)?.steps ?? [];
        // Newer kernels show some of them, to be read only.
        assert.match(String(reasonOf(step)), /^(?:absent|read-only|already|would-lower|not-applicable)$/, `${row.id}: ${JSON.stringify(step)}`);
        if (reasonOf(step) === 'absent' || reasonOf(step) === 'read-only') assert.match(step?.why ?? '', /whole kernel/, row.id);
      }
      assert.equal(reasonOf(planned.get('net.ipv4.tcp_delack_min')?.steps[0]), 'absent');
      assert.equal(reasonOf(planned.get('net.ipv4.tcp_low_latency')?.steps[0]), 'no-effect');
    });
  });

  test('the kernel takes what is planned for it, has it then, and takes back what was there', async () => {
    await withPath(async ({ near }) => {
      const wanted = own.map(({ id, example, better }): [string, unknown] => [id, better === 'neither' && example === 0 ? 0 : example]);
      const more: readonly [string, unknown][] = [
        ['net.ipv4.tcp_rmem', '4096 131072 67108864'],
        ['net.ipv4.ip_forward', 1],
        ['net.ipv6.conf.all.forwarding', 1],
        ['net.ipv4.tcp_congestion_control', 'reno'],
      ];
      const planned = await plan(near, { wanted: [...wanted, ...more], try: true });
      const tried = [...planned.values()].filter(({ after }) => after !== undefined);
      assert.ok(tried.length >= 8, `only ${tried.map(({ id }) => id).join(', ')} would change`);
      for (const { id, after, restored } of tried) {
        assert.deepEqual(after?.map(reasonOf), ['already'], `${id}: ${JSON.stringify(after)}`);
        assert.equal(restored, true, `${id} is as before`);
      }
    });
  });

  test('forwarding takes along what the kernel ties to it, and a roll-back brings all of that back', async () => {
    await withPath(async ({ near }) => {
      await near.sh(`ip link add extra type veth peer name extra1; cd /proc/sys/net
        echo 0 > ipv4/conf/all/accept_redirects; echo 1 > ipv4/conf/extra/forwarding; echo 1 > ipv6/conf/extra/forwarding
        ip -6 route add default via fd77::2`);
      const state = (): Promise<string> =>
        near.sh('cd /proc/sys/net; grep . ipv4/ip_forward ipv[46]/conf/*/forwarding ipv4/conf/*/accept_redirects ipv6/conf/*/accept_ra');
      const before = await state();
      const planned = await plan(near, {
        wanted: [
          ['net.ipv4.ip_forward', 1],
          ['net.ipv6.conf.all.forwarding', 1],
        ],
        try: true,
      });
      for (const { id, steps, after, restored } of planned.values()) {
        assert.deepEqual([steps.map(reasonOf), after?.map(reasonOf), restored], [['change'], ['already'], true], id);
      }
      const [six] = planned.get('net.ipv6.conf.all.forwarding')?.steps ?? [];
      assert.ok(six?.verdict === 'change');
      assert.deepEqual(six.changes[0]?.desired, { [`conf/${INTERFACE}/accept_ra`]: 2, 'conf/all/forwarding': 1 });
      assert.equal(await state(), before);
    });
  });

  test('buffers of guides are possible only to the exact, and the rate that they allow is told', async () => {
    await withPath(async ({ near }) => {
      const wanted: Request['wanted'] = [['net.ipv4.tcp_rmem', '4096 16384 16384']];
      assert.equal(reasonOf((await plan(near, { wanted })).get('net.ipv4.tcp_rmem')?.steps[0]), 'would-lower');
      const tried = (await plan(near, { wanted, exact: true, try: true })).get('net.ipv4.tcp_rmem');
      const [step] = tried?.steps ?? [];
      assert.ok(step?.verdict === 'change' && step.effect === 'risky');
      assert.match(step.notes?.join() ?? '', /6\.554 Mbit\/s at 20\.00 ms/);
      assert.equal(tried?.restored, true);
    });
  });

  test('an interface that the kernel makes up is left alone until it is named', async () => {
    await withPath(async ({ near }) => {
      await near.sh('ip route add default via 10.77.0.2');
      const wanted: Request['wanted'] = [
        ['offloads', { gro: 'off', tso: 'off' }],
        ['rps', 'all'],
        ['queue-discipline', 'fq'],
        ['coalescing', { 'rx-usecs': 0 }],
      ];
      const unnamed = await plan(near, { wanted });
      for (const id of ['offloads', 'queue-discipline', 'coalescing']) assert.deepEqual(unnamed.get(id)?.steps.map(reasonOf), ['virtual-device'], id);
      const named = await plan(near, { wanted: [['offloads', { tso: 'off', gso: 'off' }]], interfaces: [INTERFACE], try: true });
      const tried = named.get('offloads');
      assert.deepEqual([tried?.steps.map(reasonOf), tried?.after?.map(reasonOf), tried?.restored], [['change'], ['already'], true]);
      const others = await plan(near, { wanted, interfaces: [INTERFACE] });
      assert.deepEqual(others.get('coalescing')?.steps.map(reasonOf), ['absent']);
    });
  });
});

describe('settings in a kernel of its own', { skip: noUml }, () => {
  test('finds a queue discipline once its module is there, sets it, and puts the kernel’s own back', async () => {
    const request = (wanted: Request['wanted']): string => JSON.stringify({ wanted, interfaces: ['path0'], try: true } satisfies Request);
    const program = `'${process.execPath}' '${PROGRAM}'`;
    const { stdout, stderr } = await runUml(`
      ip link add path0 type veth peer name path1; ip link set path0 up; ip link set path1 up
      ${program} '${request([['queue-discipline', 'cake']])}'
      modprobe -d /mnt/modules sch_fq
      ${program} '${request([
        ['queue-discipline', 'fq'],
        ['net.core.default_qdisc', 'fq'],
        ['net.core.rmem_max', 7_500_000],
        ['net.core.netdev_max_backlog', 5000],
        ['vm.swappiness', 10],
      ])}'`);
    const [missing, there] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Planned[]);
    assert.deepEqual(missing?.[0]?.steps.map(reasonOf), ['absent'], stdout + stderr);
    assert.equal(there?.length, 5, stdout + stderr);
    for (const { id, steps, after, restored } of there ?? []) {
      assert.deepEqual(
        [steps.map(reasonOf), after?.map(reasonOf), restored],
        [['change'], ['already'], true],
        `${id}: ${JSON.stringify(steps)} ${JSON.stringify(after)}`,
      );
    }
  });
});
