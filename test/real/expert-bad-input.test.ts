import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { asNobody } from '../lab/nobody.js';
import { whyNoNamespaces } from '../lab/namespaces.js';
import { Program, installed, mustRun, run } from '../lab/processes.js';
import type { Finished } from '../lab/processes.js';
import { withRoutedPaths } from '../lab/routed-paths.js';
import type { RoutedPaths } from '../lab/routed-paths.js';
import { PORT, TAUTLINE, metric, startServe } from '../lab/tautline.js';
import type { CheckDocument, MeasureDocument, Subject } from '../../src/results/index.js';
import { runUml, whyNoUml } from './uml/uml.js';

const skip = (await whyNoNamespaces()) ?? ((await installed('nft')) ? false : 'nft is missing (package nftables)');
const EXIT = { pass: 0, usage: 2, unmeasured: 3, inconclusive: 4, interrupted: 130 } as const;
/** Of a quick check of one path that works, on a busy machine. */
const QUICK_MS = 12_000;

const NOBODY = 65_534;

let folder: string;
let valid: ValidateFunction;
let keyFile: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-expert-'));
  await chmod(folder, 0o755);
  keyFile = join(folder, 'key');
  await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  // Root may read it all the same.
  await chown(keyFile, NOBODY, NOBODY);
  valid = new Ajv({ strict: true }).compile(JSON.parse(await mustRun([...TAUTLINE, 'export', 'schema'])) as object);
});
after(() => rm(folder, { recursive: true, force: true }));

interface Said<D> extends Finished {
  readonly document: D;
}

/** A person at the near end: home, history, programs and configuration of their own. */
class Person {
  readonly home: string;
  readonly work: string;
  readonly programs: string;
  readonly #lab: RoutedPaths;

  private constructor(lab: RoutedPaths, place: string) {
    this.#lab = lab;
    this.home = join(place, 'home');
    this.work = join(place, 'work');
    this.programs = join(place, 'bin');
  }

  static async at(lab: RoutedPaths): Promise<Person> {
    const person = new Person(lab, await mkdtemp(join(folder, 'person-')));
    await chmod(join(person.home, '..'), 0o755);
    for (const each of [join(person.home, '.ssh'), person.work, person.programs]) await mkdir(each, { recursive: true });
    const [first, second] = lab.paths.map(({ farAddress }) => farAddress);
    const paths = second === undefined ? `beta: ${first}` : `beta:\n    paths:\n      lan: ${first}\n      tunnel: ${second}`;
    await person.write('work/tautline.yaml', `discover: no\npeers:\n  ${paths}\n`);
    return person;
  }

  async write(name: string, text: string, mode = 0o644): Promise<string> {
    const path = join(this.work, '..', name);
    await writeFile(path, text, { mode });
    return path;
  }

  /** A program of that name comes before the system's. */
  fake(name: string, script: string): Promise<string> {
    return this.write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
  }

  argv(args: readonly string[], env: Readonly<Record<string, string>> = {}): string[] {
    const own = {
      HOME: this.home,
      TAUTLINE_KEY_FILE: keyFile,
      XDG_STATE_HOME: join(this.home, 'state'),
      PATH: `${this.programs}:${process.env['PATH']}`,
      // Runs are kept in this person's home, whatever the tests do elsewhere.
      TAUTLINE_HISTORY_ENABLED: 'yes',
      ...env,
    };
    return this.#lab.near.inside(['env', ...Object.entries(own).map(([key, value]) => `${key}=${value}`), ...TAUTLINE, ...args]);
  }

  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished> {
    return run(this.argv(args, env), { cwd: this.work, timeoutMs: 90_000 });
  }

  async check(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said<CheckDocument>> {
    return documentOf(await this.run(['check', ...args, '--json', '--quiet'], env));
  }

  async measure(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said<MeasureDocument>> {
    return documentOf(await this.run(['measure', ...args, '--json', '--quiet'], env));
  }

  start(args: readonly string[], env?: Readonly<Record<string, string>>): Program {
    return new Program(this.argv(args, env), { cwd: this.work });
  }
}

function documentOf<D>(finished: Finished): Said<D> {
  assert.notEqual(finished.stdout, '', finished.stderr);
  const document = JSON.parse(finished.stdout) as D;
  assert.ok(valid(document), JSON.stringify(valid.errors));
  return { ...finished, document };
}

async function withPerson(count: number, work: (person: Person, lab: RoutedPaths, serve: Program) => Promise<void>): Promise<void> {
  await withRoutedPaths({ count }, async (lab) => {
    const serve = await startServe(['--bind', '0.0.0.0', '--port', String(PORT), '--key-file', keyFile], lab.far.inside);
    lab.programs.push(serve);
    await work(await Person.at(lab), lab, serve);
  });
}

/** A Unix socket whose program does this with each connection. */
async function listening(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  server.unref();
  return server;
}

const why = ({ document }: Said<CheckDocument>, what: RegExp): string =>
  document.unchecked?.find((each) => what.test(each.what))?.why ?? `nothing of ${what.source} in ${JSON.stringify(document.unchecked)}`;
const figure = (subject: Subject | undefined, name: string) => subject?.measurements.find(({ probe, metric: of }) => `${probe} ${of}` === name);

describe('programs of this host that hang', { skip }, () => {
  test('cost a check little time, are named, and leave its figures alone', async () => {
    await withPerson(1, async (person) => {
      const hung = await listening(join(person.work, 'engine.sock'), () => undefined);
      await person.write('work/tautline.yaml', (await readFile(join(person.work, 'tautline.yaml'), 'utf8')).replace('discover: no\n', ''));
      await person.write('home/.ssh/config', 'Host beta-ssh\n HostName 10.78.2.2\n');
      await person.fake('ssh', 'sleep 30');
      await person.fake('tailscale', 'sleep 30');
      const said = await person.check(['beta', '--quick'], { DOCKER_HOST: `unix://${join(person.work, 'engine.sock')}` });
      hung.close();
      assert.equal(said.code, EXIT.pass, said.stderr);
      assert.match(why(said, /^containers/), /did not answer the request within 2000 ms; the engine hangs/);
      assert.match(why(said, /^tailscale$/), /did not answer in time/);
      assert.match(why(said, /^ssh$/), /'ssh -G beta-ssh' did not answer in time/);
      assert.equal(figure(said.document.subjects[0], 'throughput throughput.down')?.outcome, 'ok');
      assert.ok(said.elapsedMs < QUICK_MS, `${said.elapsedMs} ms`);
    });
  });

  test('a script that is killed leaves programs behind, and nobody waits for these', async () => {
    await withPerson(1, async (person) => {
      // Not exec: the shell dies, and what it started holds the output open.
      await person.fake('tailscale', 'sleep 30; true');
      const { document, code, elapsedMs } = await person.measure(['tailscale', 'beta', '--timeout', '1s']);
      assert.equal(code, EXIT.unmeasured);
      assert.equal(metric(document.measurements, 'tailscale').outcome, 'timeout');
      assert.ok(elapsedMs < 6000, `${elapsedMs} ms`);
    });
  });
});

describe('an engine that is none', { skip }, () => {
  test('is told by what is wrong with it', async () => {
    await withPerson(1, async (person) => {
      const page = '<!doctype html><p>It works!</p>';
      const cases = {
        html: [(socket: Socket) => void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`), /is no container engine/],
        close: [(socket: Socket) => void socket.destroy(), /closed the connection/],
        hang: [() => undefined, /did not answer the request within 700 ms/],
      } as const;
      for (const [name, [act, reason]] of Object.entries(cases)) {
        const server = await listening(join(person.work, `${name}.sock`), act);
        const { document, code } = await person.measure(['docker', 'local', '--timeout', '700ms', '--socket', join(person.work, `${name}.sock`)]);
        server.close();
        assert.equal(code, EXIT.unmeasured, name);
        assert.match(document.measurements[0]?.reason ?? '', reason, name);
      }
    });
  });
});

describe('a Tailscale client that cannot tell', { skip }, () => {
  test('says whether it is logged out, stopped or talks nonsense', async () => {
    await withPerson(1, async (person) => {
      for (const [script, outcome, reason] of [
        [`echo '{"BackendState":"NeedsLogin","Self":null,"Peer":null}'`, 'unchecked', /logged out.*tailscale up/],
        ['echo "failed to connect to local tailscaled" >&2; exit 1', 'refused', /daemon does not run/],
        ['echo nonsense', 'lost', /without a status/],
      ] as const) {
        await person.fake('tailscale', script);
        const { document, code } = await person.measure(['tailscale', 'beta']);
        assert.equal(code, EXIT.unmeasured, script);
        const found = metric(document.measurements, 'tailscale');
        assert.equal(found.outcome, outcome, script);
        assert.match(found.reason ?? '', reason);
      }
    });
  });
});

describe('an ssh configuration that nobody would write by hand', { skip: skip || ((await installed('ssh')) ? false : 'ssh is missing') }, () => {
  test('with ten thousand hosts and Includes in a circle is read, without a warning of the runtime', async () => {
    await withPerson(1, async (person) => {
      const hosts = Array.from({ length: 10_000 }, (_, i) => `Host h${i}\n HostName 10.78.2.2\n`).join('');
      await person.write('home/.ssh/config', `Include config\nInclude more\n${hosts}`);
      await person.write('home/.ssh/more', 'Include config more\n');
      await person.write('work/tautline.yaml', 'peers:\n  beta: 10.78.2.2\n');
      const { code, stderr, elapsedMs } = await person.check(['beta', '--quick']);
      assert.equal(code, EXIT.pass, stderr);
      assert.equal(stderr, '');
      assert.ok(elapsedMs < QUICK_MS, `${elapsedMs} ms`);
    });
  });

  test('that is a pipe which nobody writes to is told, and the check ends', async () => {
    await withPerson(1, async (person) => {
      await mustRun(['mkfifo', join(person.home, '.ssh', 'config')]);
      await person.write('work/tautline.yaml', 'peers:\n  beta: 10.78.2.2\n');
      const said = await person.check(['beta', '--quick']);
      assert.equal(said.code, EXIT.pass);
      assert.match(why(said, /^ssh$/), /it is a pipe/);
      assert.ok(said.elapsedMs < QUICK_MS, `${said.elapsedMs} ms`);
    });
  });
});

describe('silence', { skip }, () => {
  test('of a router on the way is a hop without an address, and the target is reached', async () => {
    await withPerson(1, async (person, { paths }) => {
      await paths[0]?.router.sh(
        "nft add table inet mute; nft 'add chain inet mute out { type filter hook output priority 0; }'; nft add rule inet mute out meta l4proto icmp drop",
      );
      const { document, code } = await person.measure(['trace', 'beta', '--timeout', '300ms']);
      assert.equal(code, EXIT.pass);
      const details = metric(document.measurements, 'trace').details as {
        reached: boolean;
        hops: { ttl: number; addresses?: unknown[]; nodes?: unknown[] }[];
      };
      assert.equal(details.reached, true);
      assert.equal(details.hops.length, 2);
      assert.doesNotMatch(JSON.stringify(details.hops[0]), /10\.78\.1\.254/);
    });
  });

  test('of a target costs a quick check no more time than one that answers', async () => {
    await withPerson(1, async (person) => {
      const { document, code, elapsedMs } = await person.check(['10.78.2.99', '--quick']);
      assert.equal(code, EXIT.unmeasured);
      assert.equal(document.verdict.outcome, 'unmeasured');
      assert.equal(document.findings?.[0]?.id, 'peer-down');
      assert.ok(elapsedMs < QUICK_MS, `${elapsedMs} ms`);
    });
  });
});

describe('a peer that changes in the middle', { skip }, () => {
  /** The echoes and connects of both paths have been measured by then, and their throughput has not. */
  const amid = async (check: Program): Promise<void> => check.until((output) => /\nthroughput down .* left\)/.test(output));

  test('one path’s address moves: what was measured of it stays, the other path is whole, and the finding names the one', async () => {
    await withPerson(2, async (person, { far, paths }) => {
      await paths[1]?.relay({ up: { delayMs: 3 }, down: { delayMs: 3 } });
      const check = person.start(['check', 'beta', '--quick', '--json']);
      await amid(check);
      await far.sh('ip addr del 10.78.4.2/24 dev path1; ip addr add 10.78.4.3/24 dev path1; ip route replace 10.78.3.0/24 via 10.78.4.254');
      const { document, code, elapsedMs } = documentOf<CheckDocument>(await check.finished);
      const [lan, tunnel] = document.subjects;
      assert.equal(code, EXIT.inconclusive, document.verdict.sentence);
      assert.equal(figure(lan, 'throughput throughput.up')?.outcome, 'ok');
      assert.equal(figure(lan, 'throughput throughput.up')?.partial, undefined);
      assert.equal(figure(tunnel, 'echo rtt')?.outcome, 'ok');
      assert.equal(figure(tunnel, 'throughput throughput.up')?.outcome, 'timeout');
      const [first, ...rest] = document.findings ?? [];
      assert.deepEqual([first?.id, first?.path], ['peer-stopped', 'tunnel'], JSON.stringify(document.findings));
      assert.ok(
        rest.every(({ id }) => id === 'worse-path'),
        JSON.stringify(rest.map(({ id }) => id)),
      );
      assert.equal(document.choices?.find(({ purpose }) => purpose === 'overall')?.path, 'lan');
      assert.ok(elapsedMs < 50_000, `${elapsedMs} ms`);
    });
  });

  test('its responder is killed: what was measured stays, and the finding says that it is the service', async () => {
    await withPerson(1, async (person, _, serve) => {
      const check = person.start(['check', 'beta', '--quick', '--json']);
      await amid(check);
      serve.kill('SIGKILL');
      const { document, code } = documentOf<CheckDocument>(await check.finished);
      assert.notEqual(code, EXIT.pass, document.verdict.sentence);
      assert.equal(figure(document.subjects[0], 'echo rtt')?.outcome, 'ok');
      assert.match(figure(document.subjects[0], 'throughput throughput.up')?.reason ?? '', /refuses connections|closed the connection/);
    });
  });
});

describe('a person without rights', { skip: skip || ((await installed('setpriv')) ? false : 'setpriv is missing (package util-linux)') }, () => {
  test('gets every figure but the pings, reads what root would add, and that the engine is not theirs to ask', async () => {
    await asNobody(async (argv) => {
      await withPerson(1, async (person, { near }) => {
        await near.sh("sysctl -qw net.ipv4.ping_group_range='1 0'");
        const socket = join(person.work, 'engine.sock');
        const engine = await listening(socket, () => undefined);
        await chmod(socket, 0o600);
        const line = argv(['check', 'beta', '--quick', '--json', '--no-history']);
        const at = line.indexOf('HOME=/nonexistent');
        const finished = await run(
          near.inside([...line.slice(0, at + 1), `DOCKER_HOST=unix://${socket}`, `TAUTLINE_KEY_FILE=${keyFile}`, ...line.slice(at + 1)]),
          {
            cwd: person.work,
          },
        );
        engine.close();
        const said = documentOf<CheckDocument>(finished);
        assert.equal(said.code, EXIT.pass, said.stderr);
        assert.equal(said.document.host.root, false);
        for (const name of [
          'echo rtt',
          'tcp connect',
          'throughput throughput.down',
          'throughput throughput.up',
          'mtu mtu.up',
          'mtu mtu.down',
          'trace trace',
          'link link',
        ])
          assert.equal(figure(said.document.subjects[0], name)?.outcome, 'ok', name);
        const ping = figure(said.document.subjects[0], 'ping rtt');
        if (ping?.outcome !== 'ok') assert.match(ping?.reason ?? '', /ping_group_range/);
        assert.match(why(said, /^containers/), /this user may not open .*EACCES/);
      });
    });
  });
});

describe('an interrupt', { skip }, () => {
  test('in any phase ends within about a second with a whole document', async () => {
    await withPerson(1, async (person, { paths }) => {
      const hung = await listening(join(person.work, 'engine.sock'), () => undefined);
      await paths[0]?.router.sh("nft add table inet hole; nft 'add chain inet hole way { type filter hook forward priority 0; policy drop; }'");
      for (const [args, ready] of [
        [['measure', 'mtu', 'beta'], /plan/],
        [['measure', 'trace', 'beta'], /hop 2/],
        [['measure', 'docker', 'local', '--socket', join(person.work, 'engine.sock')], /plan/],
        [['check', '10.78.2.2', '--quick'], /ping .* left/],
        [['check', '10.78.2.2', '--quick'], /\ntrace .* left/],
      ] as const) {
        const program = person.start([...args, '--json', '--no-history']);
        await program.until((output) => ready.test(output));
        const sentMs = performance.now();
        program.kill('SIGINT');
        const { document, code } = documentOf<CheckDocument | MeasureDocument>(await program.finished);
        const tookMs = performance.now() - sentMs;
        assert.equal(code, EXIT.interrupted, args.join(' '));
        assert.equal(document.interrupted, true, args.join(' '));
        assert.ok(tookMs < 2500, `${args.join(' ')}: ${tookMs} ms`);
      }
      hung.close();
    });
  });
});

describe('files that cannot be', { skip }, () => {
  test('a full disk costs the page and the history, and not the result', async () => {
    await withPerson(1, async (person) => {
      const full = join(person.work, 'full');
      await mkdir(full);
      const line = 'mount -t tmpfs -o size=16k tmpfs "$0"; cat /dev/zero > "$0/fill" 2>/dev/null; exec "$@"';
      const argv = person.argv(['check', 'beta', '--quick', '--json', '--html', join(full, 'report.html')], { XDG_STATE_HOME: full });
      const { document, code, stderr } = documentOf<CheckDocument>(
        await run(['unshare', '--mount', 'sh', '-c', line, full, ...argv], { cwd: person.work }),
      );
      assert.equal(code, EXIT.unmeasured);
      assert.match(stderr, /report\.html: the disk is full/);
      assert.match(stderr, /not kept in the history: .*the disk is full/);
      assert.equal(document.verdict.outcome, 'pass');
    });
  });

  test('a history of torn, foreign and empty files lists what can be read', async () => {
    await withPerson(1, async (person) => {
      assert.equal((await person.measure(['tcp', 'beta', '--count', '2'])).code, EXIT.pass);
      const runs = join(person.home, 'state', 'tautline', 'runs');
      for (const [name, text] of [
        ['20260101T000000Z-torn.json', '{"schema": "tautline.check/1", "subj'],
        ['notes.txt', 'mine'],
        ['20260102T000000Z-empty.json', ''],
      ] as const)
        await writeFile(join(runs, name), text);
      await mkdir(join(runs, '20260103T000000Z-folder.json'));
      const { code, stdout, stderr } = await person.run(['history', '--json']);
      assert.equal(code, EXIT.pass, stderr);
      assert.ok(valid(JSON.parse(stdout)), JSON.stringify(valid.errors));
      assert.equal((JSON.parse(stdout) as { entries: unknown[] }).entries.length, 1);
      assert.equal((await person.run(['history', '--plot', '--metric', 'connect'])).code, EXIT.pass);
    });
  });

  test('a configuration with a mistake is told with its line, and nothing is measured', async () => {
    await withPerson(1, async (person) => {
      for (const [text, said] of [
        ['peers:\n  beta:\n    paths: {}\n', /tautline\.yaml:\d+: .*no paths/],
        ['peers:\n  beta:\n    paths:\n      lan: 10.0.0.1\n      lan: 10.0.0.2\n', /tautline\.yaml:5: 'lan' stands here a second time/],
        ['peers:\n  beta:\n    paths:\n      lan: 10.0.0.1\n    default-path: vpn\n', /no path 'vpn'[^]*its paths are lan/],
        ['peers:\n  beta:\n    paths:\n      lan: ""\n', /tautline\.yaml:4/],
        ['peers:\n  beta:\n    path:\n      lan: 10.0.0.1\n', /tautline\.yaml:2: 'peers\.beta' lacks 'paths'/],
        ['discover: perhaps\n', /tautline\.yaml:1: .*discover/],
      ] as const) {
        await person.write('work/tautline.yaml', text);
        const { code, stderr, stdout } = await person.run(['check', 'beta', '--json']);
        assert.equal(code, EXIT.usage, text);
        assert.equal(stdout, '');
        assert.match(stderr, said);
      }
    });
  });
});

describe('a host that is connected to nothing', { skip }, () => {
  test('without a route, and without loopback, is told as such', async () => {
    await withPerson(1, async (person, { near }) => {
      await near.sh('ip link set path0 down; ip link set lo down');
      const { document, code } = await person.check(['--quick'], { TAUTLINE_CONFIG: await person.write('work/none.yaml', 'discover: no\n') });
      assert.notEqual(code, EXIT.pass, document.verdict.sentence);
      const self = document.subjects.find(({ role }) => role === 'self');
      assert.ok(
        self?.measurements.every(({ outcome, reason }) => outcome !== 'ok' && (reason ?? '') !== ''),
        JSON.stringify(self),
      );
      const away = await person.check(['beta', '--quick']);
      assert.equal(away.code, EXIT.unmeasured);
      assert.match(away.document.verdict.sentence, /no route/);
    });
  });
});

const noUml = await whyNoUml();
describe('a clock that is set in the middle', { skip: noUml ?? false }, () => {
  test('forward and back an hour changes no round trip', async () => {
    const { stdout, stderr } = await runUml(`
      ip link set lo up
      ${TAUTLINE.join(' ')} serve --bind 127.0.0.1 > serve.out 2>&1 &
      for i in $(seq 100); do grep -q :7227 serve.out && break; sleep 0.1; done
      (sleep 3; date -s '+1 hour' > /dev/null; sleep 1; date -s '-2 hours' > /dev/null) &
      ${TAUTLINE.join(' ')} measure echo 127.0.0.1:7227 --count 500 --interval 10ms --json --quiet --no-history`);
    const rtt = metric((JSON.parse(stdout) as MeasureDocument).measurements, 'rtt');
    assert.equal(rtt.outcome, 'ok', stderr);
    assert.equal(rtt.summary?.n, 500, JSON.stringify(rtt));
    assert.ok(rtt.summary.min > 0 && rtt.summary.max < 1000, JSON.stringify(rtt.summary));
    assert.ok(rtt.durationMs > 4500 && rtt.durationMs < 60_000, `${rtt.durationMs} ms`);
  });
});
