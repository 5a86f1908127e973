import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LinkFacts } from '../../../src/base/index.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import type { Namespace } from '../../lab/namespaces.js';
import { installed, mustRun } from '../../lab/processes.js';
import { runUml, whyNoUml } from '../uml/uml.js';

const skip = (await whyNoNamespaces()) ?? ((await installed('ethtool')) ? false : 'ethtool is missing (package ethtool)');
const noUml = (await whyNoUml()) ?? false;
const PROGRAM = fileURLToPath(new URL('../../lab/links-program.js', import.meta.url));
const ENGINE = fileURLToPath(new URL('../../lab/script-program.js', import.meta.url));

type Outcome = { readonly ok: unknown } | { readonly code: string; readonly message: string; readonly hint?: string };
type Order = readonly [string, ...unknown[]];

async function give(near: Namespace, orders: readonly Order[], prefix: readonly string[] = []): Promise<Outcome[]> {
  return JSON.parse(await mustRun(near.inside([...prefix, process.execPath, PROGRAM, JSON.stringify(orders)]))) as Outcome[];
}

function done(outcome: Outcome | undefined): unknown {
  assert.ok(outcome && 'ok' in outcome, JSON.stringify(outcome));
  return outcome.ok;
}

function refused(outcome: Outcome | undefined): { readonly code: string; readonly message: string; readonly hint?: string } {
  assert.ok(outcome && 'code' in outcome, `it was done: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The lines of `ethtool -k` without its heading. */
async function features(near: Namespace): Promise<string> {
  return (await near.sh(`ethtool -k ${INTERFACE}`)).split('\n').slice(1).join('\n');
}

const look = (outcome: Outcome | undefined): LinkFacts => {
  const [link] = done(outcome) as LinkFacts[];
  assert.ok(link);
  return link;
};
const changeable = (link: LinkFacts): Record<string, boolean> =>
  Object.fromEntries(Object.entries(link.features ?? {}).flatMap(([name, { on, changeable: may }]) => (may ? [[name, on]] : [])));

describe('offloads of a real interface', { skip }, () => {
  test('are switched as ethtool shows them', async () => {
    await withPath(async ({ near }) => {
      for (const [name, short] of [
        ['generic-receive-offload', 'gro'],
        ['tcp-segmentation-offload', 'tso'],
        ['generic-segmentation-offload', 'gso'],
        ['tx-udp-segmentation', undefined],
      ] as const) {
        for (const on of [true, false, true]) {
          done((await give(near, [['setFeatures', INTERFACE, { [name]: on }]]))[0]);
          assert.match(await features(near), new RegExp(`^\\s*${name}: ${on ? 'on' : 'off'}$`, 'm'), `${name} (${short ?? 'no short name'})`);
        }
      }
    });
  });

  test('what one drags along comes back when all are written back', async () => {
    await withPath(async ({ near }) => {
      // One of a group's members is off beforehand: the group must not bring it back on.
      await near.sh(`ethtool -K ${INTERFACE} tx-tcp-mangleid-segmentation off; ethtool -K ${INTERFACE} tx-udp-segmentation off`);
      const before = await features(near);
      for (const dragging of ['scatter-gather', 'tx-checksumming']) {
        const [first, order, then] = await give(near, [
          ['look', INTERFACE],
          ['setFeatures', INTERFACE, { [dragging]: false }],
          ['look', INTERFACE],
        ]);
        done(order);
        const [was, is] = [changeable(look(first)), changeable(look(then))];
        const dragged = Object.keys(was).filter((name) => was[name] !== is[name]);
        assert.ok(dragged.includes('tx-tcp-segmentation') && dragged.length > 3, `${dragging} took along ${dragged.join(', ')}`);
        assert.notEqual(await features(near), before);
        done((await give(near, [['setFeatures', INTERFACE, was]]))[0]);
        assert.equal(await features(near), before);
      }
    });
  });

  test('a name that stands for nothing, and one that is fixed, are refused with their names and change nothing', async () => {
    await withPath(async ({ near }) => {
      const before = await features(near);
      const [unknown, fixed, impossible, elsewhere] = await give(near, [
        ['setFeatures', INTERFACE, { 'generic-receive-offload': true, 'tx-telepathy': true }],
        ['setFeatures', INTERFACE, { 'large-receive-offload': true }],
        ['setFeatures', INTERFACE, { 'large-receive-offload': false }],
        ['setFeatures', 'no-such0', { 'generic-receive-offload': true }],
      ]);
      assert.deepEqual([refused(unknown).code, /tx-telepathy/.test(refused(unknown).message)], ['unsupported', true]);
      assert.deepEqual([refused(fixed).code, /large-receive-offload/.test(refused(fixed).message)], ['unsupported', true]);
      done(impossible);
      assert.match(refused(elsewhere).message, /no network interface no-such0/);
      assert.equal(await features(near), before);
    });
  });

  test('what the kernel does not switch for want of another is told', async () => {
    await withPath(async ({ near }) => {
      await near.sh(`ethtool -K ${INTERFACE} tx off`);
      const [order] = await give(near, [['setFeatures', INTERFACE, { 'tx-tcp-segmentation': true }]]);
      assert.deepEqual([refused(order).code, /tx-tcp-segmentation off/.test(refused(order).message)], ['unsupported', true]);
    });
  });
});

describe('queues of a real interface', { skip }, () => {
  test('are counted and changed one way and the other apart', async () => {
    await withPath(async ({ near }) => {
      const most = /TX:\s*(\d+)/.exec(await near.sh(`ethtool -l ${INTERFACE}`))?.[1] ?? '1';
      if (most === '1') {
        const [told, order] = await give(near, [
          ['readChannels', INTERFACE],
          ['setChannels', INTERFACE, { rx: 2, tx: 2 }],
        ]);
        assert.deepEqual(done(told), { rx: 1, tx: 1, rxMax: 1, txMax: 1 });
        assert.match(refused(order).message, /requested channel count exceeds maximum/, "the kernel's own reason is told");
      }
      await near.sh(
        `ip link add q0 numtxqueues 4 numrxqueues 4 type veth peer name q1 numtxqueues 4 numrxqueues 4; ip link set q0 up; ip link set q1 up; ethtool -L q0 rx 1 tx 1`,
      );
      const [before, order, after, tooMany, back] = await give(near, [
        ['readChannels', 'q0'],
        ['setChannels', 'q0', { rx: 2, tx: 3 }],
        ['readChannels', 'q0'],
        ['setChannels', 'q0', { rx: 9 }],
        ['setChannels', 'q0', { rx: 1 }],
      ]);
      assert.deepEqual(done(before), { rx: 1, tx: 1, rxMax: 4, txMax: 4 });
      done(order);
      assert.deepEqual(done(after), { rx: 2, tx: 3, rxMax: 4, txMax: 4 });
      assert.equal(refused(tooMany).code, 'unsupported');
      assert.match(refused(tooMany).message, /exceeds maximum/);
      done(back);
      assert.match(await near.sh('ethtool -l q0 | tail -n 5'), /RX:\s*1\s+TX:\s*3/);
    });
  });

  test('an interface without rings or coalescing says so', async () => {
    await withPath(async ({ near }) => {
      const outcomes = await give(near, [
        ['setRings', INTERFACE, { rx: 256 }],
        ['setCoalescing', INTERFACE, { rxUsecs: 0, adaptiveRx: false }],
        ['readChannels', 'lo'],
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.ok)),
        ['unsupported', 'unsupported', null],
      );
    });
  });
});

describe('a kernel without the netlink family', { skip }, () => {
  test('takes the same orders by ioctl', async () => {
    await withPath(async ({ near }) => {
      await near.sh(`ethtool -K ${INTERFACE} tx-tcp-mangleid-segmentation off`);
      await near.sh('ip link add q0 numtxqueues 4 numrxqueues 4 type veth peer name q1 numtxqueues 4 numrxqueues 4');
      const before = await features(near);
      const [first] = await give(near, [['look', INTERFACE]]);
      const told = await give(near, [
        ['oldFeatures', INTERFACE, { 'scatter-gather': false, 'generic-receive-offload': true }],
        ['oldFeatures', INTERFACE, { 'tx-telepathy': false }],
        ['oldChannels', 'q0', { rx: 2, tx: 3 }],
        ['oldChannels', 'q0', { rx: 9 }],
        ['readChannels', 'q0'],
      ]);
      assert.deepEqual(told.map(done), [
        null,
        { error: 'EOPNOTSUPP', reason: 'it has no tx-telepathy' },
        null,
        { error: 'EINVAL' },
        { rx: 2, tx: 3, rxMax: 4, txMax: 4 },
      ]);
      assert.match(await features(near), /^scatter-gather: off[^]*^\ttx-tcp-segmentation: off[^]*^generic-receive-offload: on/m);
      done((await give(near, [['oldFeatures', INTERFACE, changeable(look(first))]]))[0]);
      assert.equal(await features(near), before);
    });
  });
});

describe('orders without the right to give them', { skip }, () => {
  test('are refused with what to do, and change nothing', async () => {
    await withPath(async ({ near }) => {
      const before = `${await features(near)} ${await near.sh(`tc qdisc show dev ${INTERFACE}; ethtool -l ${INTERFACE}`)}`;
      const outcomes = await give(
        near,
        [
          ['setFeatures', INTERFACE, { 'generic-receive-offload': true, 'scatter-gather': false }],
          ['setChannels', INTERFACE, { rx: 1 }],
          ['setRootQueue', INTERFACE, 'tbf'],
          ['setRootQueue', INTERFACE, undefined],
          ['forgetTcpMetrics'],
        ],
        ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin'],
      );
      for (const outcome of outcomes) {
        assert.equal(refused(outcome).code, 'permission', JSON.stringify(outcome));
        assert.match(refused(outcome).hint ?? '', /root|CAP_NET_ADMIN/);
      }
      assert.equal(`${await features(near)} ${await near.sh(`tc qdisc show dev ${INTERFACE}; ethtool -l ${INTERFACE}`)}`, before);
      assert.equal('ok' in ((await give(near, [['readChannels', INTERFACE]], ['setpriv', '--bounding-set=-net_admin']))[0] ?? {}), true);
    });
  });
});

describe('what TCP learnt of other hosts', { skip }, () => {
  test('is forgotten', async () => {
    await withPath(async ({ near, far }) => {
      const server = `require('node:net').createServer((s)=>s.pipe(s)).listen(7001,'10.77.0.2',()=>{
        const {spawnSync}=require('node:child_process');
        setTimeout(()=>process.exit(0),8000);
        console.log('ready') })`;
      const client = `const s=require('node:net').connect(7001,'10.77.0.2',()=>{s.write('x'.repeat(1e6));});let n=0;s.on('data',(d)=>{n+=d.length;if(n>=1e6){s.end();}});s.on('close',()=>process.exit(0))`;
      await mustRun([
        'sh',
        '-ec',
        `ip netns exec "$1" "$0" -e "$3" & for i in $(seq 50); do ip netns exec "$2" "$0" -e "$4" 2>/dev/null && break; sleep 0.1; done; kill $!; wait`,
        process.execPath,
        far.name,
        near.name,
        server,
        client,
      ]);
      assert.match(await near.sh('ip tcp_metrics show'), /10\.77\.0\.2/);
      done((await give(near, [['forgetTcpMetrics']]))[0]);
      assert.equal(await near.sh('ip tcp_metrics show'), '');
    });
  });
});

/** The beginning of a job: interfaces with one queue and with three; `give` prints outcomes, `root` what tc shows. */
const INTERFACES = `
  ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up
  ip link add m0 numtxqueues 3 type veth peer name m1 numtxqueues 3; ip link set m0 up; ip link set m1 up
  give() { '${process.execPath}' '${PROGRAM}' "$1"; echo; }
  root() { tc qdisc show dev "$1" | awk '{ print $1, $2, $3, $4, ($4 == "parent" ? $5 : "") }'; }
`;

describe('queue disciplines of a kernel that has them', { skip: noUml }, () => {
  test('replace each other with the defaults of the kernel, which puts its own there when they are removed', async () => {
    const { stdout, stderr, code } = await runUml(`${INTERFACES}
      for kind in fq fq_codel cake fq; do give '[["setRootQueue","d0","'$kind'"]]'; root d0; done
      tc qdisc replace dev d0 root handle 7: fq limit 77
      give '[["setRootQueue","d0","fq"]]'; tc qdisc show dev d0 | grep -o 'limit 10*p'
      give '[["setRootQueue","d0"],["setRootQueue","d0"]]'; root d0`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      stdout.split('\n').filter((line) => !line.startsWith('[{"ok":null}')),
      [
        'qdisc fq 1: root ',
        'qdisc fq_codel 2: root ',
        'qdisc cake 1: root ',
        'qdisc fq 2: root ',
        'limit 10000p',
        'limit 100p',
        'qdisc noqueue 0: root ',
        '',
      ],
    );
  });

  test('below mq follow default_qdisc each time that mq is set', async () => {
    const { stdout, stderr, code } = await runUml(`${INTERFACES}
      for kind in fq fq_codel; do echo $kind > /proc/sys/net/core/default_qdisc; give '[["setRootQueue","m0","mq"]]' > /dev/null; root m0; done`);
    assert.equal(code, 0, stderr);
    const below = (mq: string, kind: string): string[] => [
      `qdisc mq ${mq}: root `,
      ...['1', '2', '3'].map((n) => `qdisc ${kind} 0: parent ${mq}:${n}`),
    ];
    assert.deepEqual(stdout.trim().split('\n').toSorted(), [...below('1', 'fq'), ...below('2', 'fq_codel')].toSorted());
  });

  test("are changed and undone with the default that they come from, the kernel's own children of mq included", async () => {
    const wishes = JSON.stringify([
      [{ kind: 'kernel-value', path: '/proc/sys/net/core/default_qdisc' }, 'fq'],
      [
        { kind: 'root-queue', interface: 't0' },
        { queue: 'fq_codel', byKernel: false },
      ],
      [
        { kind: 'root-queue', interface: 'm0' },
        { queue: 'mq', byKernel: false, leaf: 'fq' },
      ],
    ]);
    const { stdout, stderr, code } = await runUml(`
      echo pfifo_fast > /proc/sys/net/core/default_qdisc
      ip link add t0 numtxqueues 1 type ifb; ip link add m0 numtxqueues 3 type ifb; ip link set t0 up; ip link set m0 up
      look() { cat /proc/sys/net/core/default_qdisc; tc qdisc show dev t0; tc qdisc show dev m0; ip -br link | awk '{ print $1, $2 }'; }
      engine() { '${process.execPath}' '${ENGINE}' "$1" "$2" j > out.json || { cat out.json; exit 9; }; }
      look | tee before; echo --
      engine apply '${wishes}'
      grep -o '"state":"[a-z-]*"' out.json; look; echo --
      engine undo '[]'
      grep -o '"state":"[a-z-]*"' out.json; look | diff before - && echo 'as before'; echo --
      '${process.execPath}' '${ENGINE}' script '${wishes}' | sed "s|/var/lib/tautline-script|$PWD|" > s.sh
      sh s.sh apply 2> log; look; echo --
      sh s.sh undo 2> log; look | diff before - && echo 'as before'`);
    assert.equal(code, 0, `${stdout} ${stderr}`);
    const [before = '', applied = '', undone, byScript = '', undoneByScript] = stdout.split('--\n');
    assert.match(before, /^pfifo_fast\nqdisc pfifo_fast 0: root/);
    assert.match(before, /qdisc mq 0: root/);
    assert.match(applied, /^"state":"applied"\nfq\nqdisc fq_codel [1-9a-f]+: root/);
    assert.match(applied, /qdisc mq [1-9a-f]+: root/);
    assert.match(applied, /qdisc fq 0: parent [1-9a-f]+:/);
    assert.equal(undone, '"state":"rolled-back"\nas before\n');
    const kinds = (text: string): string[] => text.split('\n').flatMap((line) => /^qdisc (\w+)/.exec(line)?.[1] ?? []);
    assert.deepEqual(kinds(byScript), kinds(applied));
    assert.equal(undoneByScript, 'as before\n');
  });

  test('that the kernel does not know, or the interface cannot have, are refused in the words of the kernel', async () => {
    const { stdout, stderr, code } = await runUml(`${INTERFACES} give '[["setRootQueue","d0","no_such_kind"],["setRootQueue","d0","mq"]]'; root d0`);
    assert.equal(code, 0, stderr);
    const [outcomes = '', root] = stdout.split('\n');
    const [unknown, single] = JSON.parse(outcomes) as Outcome[];
    assert.deepEqual([refused(unknown).code, /qdisc kind is unknown/.test(refused(unknown).message)], ['unsupported', true]);
    assert.equal(refused(single).code, 'unsupported');
    assert.equal(root, 'qdisc noqueue 0: root ');
  });
});
