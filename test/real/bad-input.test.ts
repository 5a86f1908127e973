import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { whyNoNamespaces, withPath } from '../lab/namespaces.js';
import type { Namespace } from '../lab/namespaces.js';
import { asNobody } from '../lab/nobody.js';
import { Program, installed, run } from '../lab/processes.js';
import { PORT, TAUTLINE, check, measure, metric } from '../lab/tautline.js';
import type { MeasureDocument, Measurement } from '../../src/results/index.js';
import { withServedPath } from './keyed-serve.js';

const skip = (await whyNoNamespaces()) ?? false;
const EXIT = { pass: 0, usage: 2, unmeasured: 3, interrupted: 130 } as const;

describe('a target that drops everything', { skip: skip || ((await installed('nft')) ? false : 'nft is missing (package nftables)') }, () => {
  const silent = (end: Namespace): Promise<string> =>
    end.sh("nft add table inet silent; nft 'add chain inet silent in { type filter hook input priority 0; policy drop; }'");

  for (const [probe, ...args] of [
    ['ping', '--count', '3', '--interval', '50ms'],
    ['echo', '--count', '3'],
    ['tcp', '--count', '2'],
    ['throughput', '--duration', '1s'],
    ['http', '--count', '1'],
    ['tls', '--count', '1'],
  ] as const) {
    test(`${probe} ends in time and says that nothing came back`, async () => {
      await withPath(async ({ near, far }) => {
        await silent(far);
        const { document, code, elapsedMs } = await measure(
          [probe, probe === 'ping' ? far.address4 : `${far.address4}:${PORT}`, '--timeout', '700ms', ...args],
          near.inside,
        );
        assert.equal(code, EXIT.unmeasured);
        const [first] = document.measurements;
        assert.ok(first && ['timeout', 'lost'].includes(first.outcome), first?.outcome);
        explains(first);
        assert.ok(elapsedMs < 15_000, `${elapsedMs} ms`);
      });
    });
  }

  test('check says that it could not measure, and what to do', async () => {
    await withPath(async ({ near, far }) => {
      await silent(far);
      const { document, code } = await check(['--quick', far.address4], near.inside);
      assert.equal(code, EXIT.unmeasured);
      assert.equal(document.verdict.outcome, 'unmeasured');
      assert.ok(document.verdict.sentence.split(' ').length > 5, document.verdict.sentence);
    });
  });
});

describe('a target where nothing listens', { skip }, () => {
  for (const probe of ['echo', 'tcp', 'throughput', 'http']) {
    test(`${probe} says refused at once`, async () => {
      await withPath(async ({ near, far }) => {
        const { document, code, elapsedMs } = await measure([probe, `${far.address4}:${PORT}`], near.inside);
        assert.equal(code, EXIT.unmeasured);
        assert.equal(document.measurements[0]?.outcome, 'refused');
        explains(document.measurements[0]);
        assert.ok(elapsedMs < 6_000, `${elapsedMs} ms`);
      });
    });
  }
});

describe('a serve that is killed in the middle', { skip }, () => {
  for (const [probe, name, ...args] of [
    ['echo', 'rtt', '--count', '4000', '--interval', '1ms'],
    ['throughput', 'throughput.up', '--direction', 'up', '--duration', '4s'],
    ['throughput', 'throughput.down', '--direction', 'down', '--duration', '4s'],
  ] as const) {
    test(`${name} keeps what was measured before and says what happened`, async () => {
      await withServedPath(async ({ serve, measure: measureIt }) => {
        const killer = setTimeout(() => serve.kill('SIGKILL'), 2_500);
        const { document, code } = await measureIt(probe, ...args, '--timeout', '1s');
        clearTimeout(killer);
        const found = metric(document.measurements, name);
        assert.equal(found.partial, true);
        assert.ok(found.summary && found.summary.n > 0, JSON.stringify(found));
        explains(found);
        assert.equal(code, EXIT.unmeasured);
      });
    });
  }
});

describe('a network without IPv4', { skip }, () => {
  test('serve, echo, throughput and check work over IPv6 alone', async () => {
    await withServedPath(
      async ({ measure: measureIt, check: checkIt }) => {
        assert.equal((await measureIt('echo', '--count', '100', '--interval', '2ms')).code, EXIT.pass);
        assert.equal((await measureIt('throughput', '--duration', '500ms', '--direction', 'both')).code, EXIT.pass);
        const { document } = await checkIt('--quick');
        assert.notEqual(document.verdict.outcome, 'unmeasured');
      },
      { ipv6Only: true },
    );
  });

  test('check without a target still measures this host', async () => {
    await withPath(
      async ({ near }) => {
        const { document } = await check(['--quick'], near.inside);
        assert.ok(
          document.subjects.some(({ role, measurements }) => role === 'self' && measurements.some(({ outcome }) => outcome === 'ok')),
          document.verdict.sentence,
        );
      },
      { ipv6Only: true },
    );
  });
});

describe('a user without rights', { skip: skip || ((await installed('setpriv')) ? false : 'setpriv is missing (package util-linux)') }, () => {
  test('ping without the right to open ICMP sockets answers by another way or says what root would add', async () => {
    await asNobody(async (argv) => {
      await withPath(async ({ near, far }) => {
        // A fresh namespace lets no group open ICMP sockets.
        await near.sh("sysctl -qw net.ipv4.ping_group_range='1 0'");
        const { stdout, stderr, code } = await run(
          near.inside(argv(['measure', 'ping', far.address4, '--count', '3', '--interval', '200ms', '--json', '--quiet'])),
        );
        const { measurements } = documentOf(stdout, stderr);
        const rtt = metric(measurements, 'rtt');
        if (rtt.outcome === 'ok')
          assert.ok(
            rtt.error?.from.some((why) => /ping/.test(why)),
            JSON.stringify(rtt.error),
          );
        else {
          assert.equal(rtt.outcome, 'unsupported');
          assert.equal(code, EXIT.unmeasured);
          explains(rtt);
        }
      });
    });
  });

  test('check measures this host without root', async () => {
    await asNobody(async (argv) => {
      const { stdout, stderr } = await run(
        ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...argv(['check', '--quick', '--json', '--quiet'])],
        {
          timeoutMs: 60_000,
        },
      );
      const document = documentOf(stdout, stderr) as unknown as {
        readonly host: { readonly root: boolean };
        readonly subjects: readonly { readonly measurements: readonly Measurement[] }[];
      };
      assert.equal(document.host.root, false);
      assert.ok(document.subjects.some(({ measurements }) => measurements.some(({ outcome }) => outcome === 'ok')));
    });
  });
});

describe('a full disk', { skip: skip || ((await installed('unshare')) ? false : 'unshare is missing (package util-linux)') }, () => {
  test('a result that cannot be written is told before measuring, printed instead, and the exit code says it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tautline-full-'));
    try {
      const line = 'ip link set lo up; mount -t tmpfs -o size=16k tmpfs "$0"; cat /dev/zero > "$0/fill" 2>/dev/null || true; exec "$@"';
      const { code, stdout, stderr } = await run(
        ['unshare', '--mount', '--net', 'sh', '-c', line, folder, ...TAUTLINE, 'check', '--quick', '--json', '--output', join(folder, 'result.json')],
        { timeoutMs: 60_000 },
      );
      assert.equal(code, EXIT.unmeasured);
      assert.match(stderr, /space|full|ENOSPC/i);
      assert.equal((documentOf(stdout, stderr) as unknown as { readonly schema: string }).schema, 'tautline.check/1');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a key that is not the right one', { skip }, () => {
  for (const probe of ['echo', 'throughput']) {
    test(`${probe} says that the key was refused`, async () => {
      await withServedPath(async ({ near, target, keyFile }) => {
        const wrong = `${keyFile}.wrong`;
        await writeFile(wrong, 'this is not the key that the responder has\n', { mode: 0o600 });
        const { document, code } = await measure([probe, target, '--key-file', wrong], near.inside);
        assert.equal(code, EXIT.unmeasured);
        assert.match(document.measurements[0]?.reason ?? '', /key/);
        const { document: without } = await measure([probe, target], near.inside);
        assert.match(without.measurements[0]?.reason ?? '', /key/);
      });
    });
  }
});

describe('a peer that talks nonsense', { skip }, () => {
  test('echo and throughput say so, and end', async () => {
    await withPath(async ({ near, far }) => {
      const script = `
        const d = require('dgram').createSocket('udp4');
        d.on('message', (m, r) => d.send(Buffer.from('TAUT' + 'x'.repeat(80)), r.port, r.address));
        d.bind(${PORT});
        require('net').createServer((s) => { s.on('error', () => {}); s.write('SSH-2.0-OpenSSH_9.2\\r\\n'); }).listen(${PORT}, () => console.log('ready'));`;
      const peer = new Program(far.inside([process.execPath, '-e', script]));
      try {
        await peer.until((output) => output.includes('ready'));
        for (const probe of ['echo', 'throughput']) {
          const { document, code } = await measure([probe, `${far.address4}:${PORT}`, '--timeout', '1s'], near.inside);
          assert.equal(code, EXIT.unmeasured, probe);
          assert.notEqual(document.measurements[0]?.outcome, 'ok');
          explains(document.measurements[0]);
        }
      } finally {
        await peer.stop();
      }
    });
  });
});

/** A reason that a person can act on: a sentence, not an error's name. */
function explains(measurement: Measurement | undefined): void {
  assert.ok((measurement?.reason ?? '').split(' ').length >= 4, `reason: ${measurement?.reason}`);
}

function documentOf(stdout: string, stderr: string): MeasureDocument {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as MeasureDocument;
}
