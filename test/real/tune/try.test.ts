import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { ExperimentDocument } from '../../../src/results/index.js';
import { TAUTLINE } from '../../lab/tautline.js';
import { whyNoNamespaces } from '../../lab/namespaces.js';
import { installed } from '../../lab/processes.js';
import type { Treatment } from '../../lab/relay.js';
import { withRoutedPaths } from '../../lab/routed-paths.js';
import type { Place } from '../../lab/routed-paths.js';
import { TRY_PROGRAM, figureOf, withServedPath } from '../../lab/trying.js';
import type { Trying } from '../../lab/trying.js';
import { read } from '../uml/served-path.js';
import { runUml, whyNoUml } from '../uml/uml.js';

const available = await readFile('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').catch(() => '');
const skip = (await whyNoNamespaces()) ?? ((await installed('sysctl')) ? false : 'sysctl is missing (package procps)');
const noUml = (await whyNoUml()) ?? false;
const noBbr = skip || (available.includes('bbr') ? false : `this kernel has no BBR (${available.trim()})`);

/** Makes two hosts with a router between them that delays and loses packets. */
async function onPath<T>(plan: { up: Treatment; down: Treatment }, work: (lab: { near: Place; trying: Trying }) => Promise<T>): Promise<T> {
  return await withRoutedPaths({ count: 1 }, async ({ near, far, paths: [path] }) => {
    assert.ok(path);
    await path.relay(plan);
    return await withServedPath({ near: near.inside, far: far.inside, farAddress: path.farAddress }, (trying) => work({ near, trying }));
  });
}

/** Every value of the namespace that can be written, as it was or is. */
async function values(near: Place): Promise<string> {
  return await near.sh("sysctl -a -r '^net\\.(ipv4|core)\\.' 2>/dev/null | grep -v 'route.flush\\|neigh\\|tcp_fastopen_key' | sort");
}

function told(document: ExperimentDocument): string {
  return `${document.verdict.sentence} ${document.groups.map(({ why }) => why).join('; ')}`;
}

const BBR = 'title: BBR\nabout: Only the congestion control.\nrisk: low\nsettings:\n  net.ipv4.tcp_congestion_control: bbr\n';

function assertBbrFound(document: ExperimentDocument): void {
  const up = figureOf(document, 'throughput.up');
  assert.equal(up.finding, 'helps', told(document));
  assert.ok((up.ratio ?? 0) > 2, told(document));
}

describe('an experiment on a path where the answer is known', { skip }, () => {
  test('finds that BBR sends faster than what takes every loss for congestion', { skip: noBbr }, async (t) => {
    await onPath({ up: { delayMs: 20, lossRatio: 0.02 }, down: { delayMs: 20 } }, async ({ near, trying }) => {
      // A namespace may only choose what its machine allows to everybody, and that is not always CUBIC.
      const control = await near.sh(
        'sysctl -qw net.ipv4.tcp_congestion_control=cubic 2>/dev/null || sysctl -qw net.ipv4.tcp_congestion_control=reno; sysctl -n net.ipv4.tcp_congestion_control',
      );
      const before = await values(near);
      const profile = await trying.profile('bbr', BBR);
      const document = await trying.try({ profile, blocks: 6, timeMs: 95_000 });
      t.diagnostic(`against ${control.trim()}, ${Math.round(document.durationMs / 1000)} s: ${told(document)}`);
      assertBbrFound(document);
      assert.equal(await values(near), before);
    });
  });

  test('finds that buffers of 16 KB harm where the round trip is 50 ms', async (t) => {
    await onPath({ up: { delayMs: 25 }, down: { delayMs: 25 } }, async ({ near, trying }) => {
      const before = await values(near);
      const profile = await trying.profile(
        'small',
        [
          'title: Small buffers',
          'about: As some guides have them.',
          'risk: high',
          'exact: true',
          'settings:',
          '  net.ipv4.tcp_rmem: 4096 16384 16384',
          '  net.ipv4.tcp_wmem: 4096 16384 16384',
          '',
        ].join('\n'),
      );
      const document = await trying.try({ profile, blocks: 6, timeMs: 95_000 });
      t.diagnostic(`${Math.round(document.durationMs / 1000)} s: ${told(document)}`);
      for (const metric of ['throughput.up', 'throughput.down']) assert.equal(figureOf(document, metric).finding, 'harms', told(document));
      const buffers = document.groups.find(({ group }) => group === 'buffers');
      assert.deepEqual([buffers?.decision, document.verdict.outcome], ['reject', 'fail'], told(document));
      assert.equal(await values(near), before);
    });
  });
});

/** The near end is the kernel's first namespace, which has the values that no other has. `try REQUEST` prints the document. */
const UML_PATH = `
ip netns add far
ip link add path0 type veth peer name path0 netns far
far() { ip netns exec far "$@"; }
ip link set lo up; far ip link set lo up; ip link set path0 up; far ip link set path0 up
ip addr add 10.77.0.1/24 dev path0; far ip addr add 10.77.0.2/24 dev path0
head -c 32 /dev/urandom | base64 > key; chmod 600 key
far ${TAUTLINE.map((word) => `'${word}'`).join(' ')} serve --bind 10.77.0.2 --port 7227 --key-file key > serve.out 2>&1 &
for i in $(seq 100); do grep -q :7227 serve.out && break; sleep 0.1; done
try() { '${process.execPath}' '${TRY_PROGRAM}' "{\\"folder\\": \\"$PWD/state\\", \\"homeFolder\\": \\"$PWD\\", \\"target\\": \\"10.77.0.2:7227\\", \\"keyFile\\": \\"$PWD/key\\", $1}"; }
`;
const UML_TIMEOUT_MS = 580_000;

describe('an experiment in a kernel of its own', { skip: noUml }, () => {
  test('finds that BBR sends faster than CUBIC where 2 % of the packets are lost on a long path', async (t) => {
    const { stdout, stderr } = await runUml(
      `${UML_PATH}
      modprobe -d /mnt/modules tcp_bbr; sysctl -qw net.ipv4.tcp_congestion_control=cubic
      tc qdisc add dev path0 root netem delay 30ms loss 2% rate 20mbit limit 200
      far tc qdisc add dev path0 root netem delay 30ms rate 20mbit limit 200
      printf '${BBR.replaceAll('\n', '\\n')}' > bbr.yaml
      try "\\"profile\\": \\"$PWD/bbr.yaml\\", \\"blocks\\": 6"
      echo; echo ---; sysctl -n net.ipv4.tcp_congestion_control`,
      UML_TIMEOUT_MS,
    );
    const [text, after] = stdout.split('---\n');
    const document = read<ExperimentDocument>(text, stderr);
    t.diagnostic(`${Math.round(document.durationMs / 1000)} s: ${told(document)}`);
    assertBbrFound(document);
    assert.equal(after?.trim(), 'cubic');
  });

  test('finds nothing in tcp_low_latency, which does nothing since Linux 4.14, for who wants to see it tried all the same', async (t) => {
    const { stdout, stderr } = await runUml(
      `${UML_PATH}
      tc qdisc add dev path0 root netem delay 5ms rate 20mbit limit 200
      far tc qdisc add dev path0 root netem delay 5ms rate 20mbit limit 200
      try '"settings": [{"id": "net.ipv4.tcp_low_latency", "value": "1"}], "blocks": 6, "timeMs": 120000'
      echo; echo ---; sysctl -n net.ipv4.tcp_low_latency`,
      UML_TIMEOUT_MS,
    );
    const [text, after] = stdout.split('---\n');
    const document = read<ExperimentDocument>(text, stderr);
    t.diagnostic(`${Math.round(document.durationMs / 1000)} s: ${told(document)}`);
    assert.deepEqual(
      document.groups.map(({ decision, changes }) => [decision, changes.map(({ setting }) => setting)]),
      [['no measurable change', ['net.ipv4.tcp_low_latency']]],
      told(document),
    );
    for (const metric of ['rtt', 'throughput.up', 'throughput.down']) assert.equal(figureOf(document, metric).blocks, 6, told(document));
    assert.equal(after?.trim(), '0');
  });
});
