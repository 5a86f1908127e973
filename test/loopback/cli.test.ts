import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import type { CheckDocument, MeasureDocument, Measurement } from '../../src/results/index.js';

const execute = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** Nothing here takes a tenth of this; it bounds a test that hangs. */
const LIMIT_MS = 60_000;
/** The responders that the whole suite measures against live as long as it does. */
const SUITE_LIMIT_MS = 600_000;

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

class Cli {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  out = '';
  err = '';
  readonly #waiting: { text: string; met: () => void }[] = [];

  constructor(args: readonly string[], options: { cwd: string; env?: Record<string, string>; limitMs?: number }) {
    const env = { PATH: process.env['PATH'] ?? '', HOME: options.cwd, ...options.env };
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#look();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.#look();
    });
    const limit = setTimeout(() => this.child.kill('SIGKILL'), options.limitMs ?? LIMIT_MS);
    this.finished = new Promise((resolve) => {
      this.child.on('close', (code) => {
        clearTimeout(limit);
        for (const { met } of this.#waiting) met();
        resolve({ code, out: this.out, err: this.err });
      });
    });
  }

  /** Resolves once `text` has been printed, or the program has ended without it. */
  async said(text: string): Promise<void> {
    if (!this.out.includes(text) && !this.err.includes(text)) await new Promise<void>((met) => this.#waiting.push({ text, met }));
    assert.ok(this.out.includes(text) || this.err.includes(text), `'${text}' in ${this.out}${this.err}`);
  }

  #look(): void {
    for (const waiting of this.#waiting) if (this.out.includes(waiting.text) || this.err.includes(waiting.text)) waiting.met();
  }
}

describe('the command line', () => {
  let folder = '';
  let serve: Cli;
  let keyed: Cli;
  let port = 0;
  let keyedPort = 0;
  let valid: ValidateFunction;
  /** Takes connections and never says a word. */
  let mute: Server;
  let mutePort = 0;

  const cli = (line: string, env?: Record<string, string>): Cli => new Cli(line.split(' '), { cwd: folder, ...(env ? { env } : {}) });
  const run = (line: string, env?: Record<string, string>): Promise<Finished> => cli(line, env).finished;
  const place = (of: number): string => `127.0.0.1:${of}`;

  /** Runs a line that prints a document, and checks the document against the printed schema. */
  async function document<D extends CheckDocument | MeasureDocument>(line: string, code: number): Promise<D> {
    const finished = await run(`${line} --json --quiet`);
    assert.equal(finished.code, code, `${line}: ${finished.err}${finished.out.slice(0, 3000)}`);
    assert.equal(finished.err, '');
    const parsed = JSON.parse(finished.out) as D;
    assert.ok(valid(parsed), `${line}: ${JSON.stringify(valid.errors)}`);
    return parsed;
  }
  const measure = (line: string, code = 0): Promise<MeasureDocument> => document<MeasureDocument>(`measure ${line}`, code);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tautline-cli-'));
    await writeFile(join(folder, 'right.key'), 'a key that both ends know\n', { mode: 0o600 });
    await writeFile(join(folder, 'wrong.key'), 'a key that only one end has\n', { mode: 0o600 });
    // It reads, so that it sees its clients go, and says nothing.
    mute = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    [port, keyedPort] = [await freePort(), await freePort()];
    const serving = (line: string): Cli => new Cli(line.split(' '), { cwd: folder, limitMs: SUITE_LIMIT_MS });
    serve = serving(`serve --bind 127.0.0.1 --port ${port}`);
    keyed = serving(`serve --bind 127.0.0.1 --port ${keyedPort} --key-file right.key`);
    await Promise.all([serve.said(`tautline check ${place(port)}`), keyed.said(`tautline check ${place(keyedPort)}`)]);
    mutePort = portOf(mute);
    const schema = await run('export schema');
    assert.equal(schema.code, 0, schema.err);
    valid = new Ajv({ strict: true }).compile(JSON.parse(schema.out) as object);
  });

  after(async () => {
    for (const server of [serve, keyed]) server.child.kill('SIGINT');
    mute.close();
    const [finished] = await Promise.all([serve.finished, keyed.finished]);
    assert.equal(finished.code, 0, finished.err);
    assert.match(finished.err, /tcpConnections \d+/, 'counters are told at the end');
    await rm(folder, { recursive: true, force: true });
  });

  test('echo measures round trip, loss and jitter', async () => {
    const { measurements } = await measure(`echo ${place(port)} --count 500 --interval 1ms`);
    const rtt = figure(measurements, 'rtt');
    assert.deepEqual([rtt.outcome, rtt.summary?.unit, rtt.loss?.sent], ['ok', 'ms', 500]);
    assert.ok((rtt.summary?.n ?? 0) > 450);
  });

  for (const direction of ['up', 'down', 'both'] as const) {
    test(`throughput ${direction} measures bits per second, and latency under load beside it`, async () => {
      const { measurements } = await measure(`throughput ${place(port)} --streams 4 --duration 600ms --direction ${direction}`);
      for (const way of direction === 'both' ? ['up', 'down'] : [direction]) {
        const rate = figure(measurements, `throughput.${way}`);
        assert.deepEqual([rate.outcome, rate.summary?.unit], ['ok', 'bps']);
        assert.ok((rate.summary?.median ?? 0) > 1e6);
      }
      assert.equal(figure(measurements, `rtt.loaded.${direction}`).summary?.unit, 'ms');
    });
  }

  test('throughput over UDP at a rate tells the rate received and the loss', async () => {
    const { measurements } = await measure(`throughput ${place(port)} --udp --rate 50M --duration 600ms`);
    for (const way of ['udp.up', 'udp.down']) {
      const rate = figure(measurements, way);
      assert.deepEqual([rate.outcome, rate.summary?.unit], ['ok', 'bps']);
      assert.ok((rate.loss?.sent ?? 0) > 100);
    }
  });

  test('tcp, http and responsiveness are measured against the same port', async () => {
    assert.equal(figure((await measure(`tcp ${place(port)} --count 5 --interval 10ms`)).measurements, 'connect').outcome, 'ok');
    const http = await measure(`http http://${place(port)}/small --count 3 --interval 10ms`);
    for (const metric of ['http.ttfb', 'http.total', 'http.keepalive.ttfb']) assert.equal(figure(http.measurements, metric).outcome, 'ok', metric);
    const loaded = await measure(`responsiveness ${place(port)} --duration 1200ms`);
    assert.equal(figure(loaded.measurements, 'responsiveness.down').summary?.unit, 'rpm');
  });

  test('ping is measured, or says why it cannot be', async () => {
    const finished = await run('measure ping 127.0.0.1 --count 5 --interval 10ms --json --quiet');
    const [rtt] = (JSON.parse(finished.out) as MeasureDocument).measurements;
    assert.ok(rtt?.outcome === 'ok' ? finished.code === 0 : finished.code === 3 && rtt?.reason !== undefined, finished.out);
  });

  test('with the right key a keyed serve is measured; with a wrong one or none it refuses and says so', async () => {
    const line = `echo ${place(keyedPort)} --count 20 --interval 1ms --timeout 1s`;
    assert.equal(figure((await measure(`${line} --key-file right.key`)).measurements, 'rtt').outcome, 'ok');
    for (const key of [' --key-file wrong.key', '']) {
      for (const probe of [line, `throughput ${place(keyedPort)} --duration 300ms --timeout 1s`]) {
        const [first] = (await measure(`${probe}${key}`, 3)).measurements;
        assert.equal(first?.outcome, 'refused');
        assert.match(first.reason ?? '', /key/);
      }
    }
  });

  test('a check of a serve rates everything and concludes', async () => {
    const { verdict, subjects, depth } = await document<CheckDocument>(`check ${place(port)} --quick`, 0);
    assert.deepEqual([verdict.outcome, depth, subjects.length], ['pass', 'quick', 1]);
    const metrics = subjects.flatMap(({ measurements }) => measurements.filter(({ outcome }) => outcome === 'ok').map(({ metric }) => metric));
    for (const metric of ['rtt', 'connect', 'http.total', 'throughput.up', 'throughput.down', 'rtt.loaded.up'])
      assert.ok(metrics.includes(metric), metric);
  });

  // In a network of its own, since it would ask the gateway and the resolvers of the machine that runs the tests.
  const alone = ['--net', '--map-root-user', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const whyNotAlone = spawnSync('unshare', [...alone, 'true']).status === 0 ? false : 'needs unshare and ip: a network of its own';
  test('a check without a target measures this host, clearly labelled', { skip: whyNotAlone }, async () => {
    const finished = await execute('unshare', [...alone, process.execPath, MAIN, 'check', '--quick', '--json']);
    const parsed = JSON.parse(finished.stdout) as CheckDocument;
    assert.ok(valid(parsed));
    const self = parsed.subjects.find(({ role }) => role === 'self');
    assert.equal(self?.name, 'this host itself, loopback');
    assert.equal(figure(self.measurements, 'throughput.up').outcome, 'ok');
    assert.match(finished.stderr, /^plan, about \d+ s:$/m);
    assert.match(finished.stderr, /throughput up this host itself \(about \d+ s left\)/);
  });

  test('peers of the configuration are checked by their names', async () => {
    await writeFile(join(folder, 'peers.yaml'), `peers:\n  near:\n    paths: { cable: "${place(keyedPort)}" }\n    key-file: right.key\n`);
    const { measurements } = await measure('echo near/cable --count 10 --interval 1ms --config peers.yaml');
    assert.deepEqual([measurements[0]?.outcome, measurements[0]?.path], ['ok', 'cable']);
    const unknown = await run('measure echo near/air --config peers.yaml');
    assert.equal(unknown.code, 2);
    assert.equal(unknown.err, "tautline: peer 'near' has no path 'air'\n  hint: its paths are cable\n");
  });

  test('what cannot be measured is a result with its reason, and exit code 3', async () => {
    const closed = await freePort();
    const lines: readonly (readonly [line: string, outcome: RegExp, reason: RegExp])[] = [
      ['tcp no-such-host.invalid --count 1 --timeout 2s', /lost|timeout|unchecked/, /no-such-host\.invalid/],
      [`tcp ${place(closed)} --count 2 --interval 1ms`, /refused/, /refuse/],
      [`http http://${place(closed)}/ --count 1`, /refused/, /refuse/],
      [`tls ${place(closed)} --count 1`, /refused/, /refuse/],
      [`echo ${place(closed)} --timeout 700ms`, /refused/, /./],
      [`throughput ${place(closed)} --timeout 700ms`, /refused/, /tautline serve/],
      [`throughput ${place(mutePort)} --timeout 500ms`, /timeout/, /said nothing/],
      [`http http://${place(mutePort)}/ --count 1 --timeout 500ms`, /timeout/, /./],
      [`dns example.org --server ${place(closed)} --count 1 --timeout 500ms`, /refused/, /./],
      [`tls ${place(port)} --count 1 --timeout 1s`, /refused|unsupported|lost/, /./],
    ];
    for (const [line, outcome, reason] of lines) {
      const [first] = (await measure(line, 3)).measurements;
      assert.match(first?.outcome ?? '', outcome, line);
      assert.match(first?.reason ?? '', reason, line);
    }
  });

  test('a check of a closed port is unmeasured but for what does answer', async () => {
    const { subjects } = JSON.parse((await run(`check ${place(await freePort())} --quick --json`)).out) as CheckDocument;
    assert.equal(figure(subjects[0]?.measurements ?? [], 'connect').outcome, 'refused');
  });

  test('a serve that dies in the middle leaves what was measured before, and exit code 3', async () => {
    const free = await freePort();
    const dying = cli(`serve --port ${free}`);
    await dying.said(`tautline check ${place(free)}`);
    const measuring = cli(`measure echo ${place(free)} --count 3000 --interval 1ms --timeout 500ms --json`);
    await measuring.said('sending 3000 echoes');
    await new Promise((resolve) => setTimeout(resolve, 700));
    dying.child.kill('SIGKILL');
    const { code, out } = await measuring.finished;
    await dying.finished;
    const rtt = figure((JSON.parse(out) as MeasureDocument).measurements, 'rtt');
    assert.deepEqual([code, rtt.partial], [3, true]);
    assert.ok((rtt.summary?.n ?? 0) > 10 && rtt.reason !== undefined);
  });

  for (const [what, signals] of Object.entries({
    'an interrupt': ['SIGINT'],
    'a connection that is cut off, told twice,': ['SIGHUP', 'SIGHUP'],
  } as const)) {
    test(`${what} prints what was measured until then and exits with 130`, async () => {
      const measuring = cli(`measure echo ${place(port)} --count 20000 --interval 1ms --json`);
      await measuring.said('sending 20000 echoes');
      await new Promise((resolve) => setTimeout(resolve, 500));
      for (const signal of signals) measuring.child.kill(signal);
      const { code, out } = await measuring.finished;
      const interrupted = JSON.parse(out) as MeasureDocument;
      assert.ok(valid(interrupted), JSON.stringify(valid.errors));
      assert.deepEqual([code, interrupted.interrupted], [130, true]);
      assert.ok((figure(interrupted.measurements, 'rtt').summary?.n ?? 0) > 10);
    });
  }

  test('a result goes to its file whole, in the format that its name says', async () => {
    const finished = await run(`measure tcp ${place(port)} --count 2 --interval 1ms --output out.json`);
    assert.deepEqual([finished.code, finished.out], [0, '']);
    assert.ok(valid(JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'))));
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('.tmp')),
      [],
    );
  });

  test('a place that cannot be written is told before measuring; the result goes to stdout and the exit code is 3', async () => {
    for (const path of ['/dev/full', 'no/such/folder/out.json']) {
      const finished = await run(`measure tcp ${place(port)} --count 2 --interval 1ms --json --output ${path}`);
      assert.equal(finished.code, 3);
      assert.ok(valid(JSON.parse(finished.out)));
      assert.match(finished.err, new RegExp(`tautline: cannot write .*${path}: (the disk is full|the directory does not exist)\n {2}hint: .*stdout`));
      if (!path.startsWith('/dev')) assert.ok(finished.err.indexOf('cannot write') < finished.err.indexOf('plan'));
    }
  });

  test('a page goes to its own file beside whatever is printed, and to stdout where it is asked for', async () => {
    const line = `measure tcp ${place(port)} --count 2 --interval 1ms --quiet`;
    const beside = await run(`${line} --html page.html`);
    assert.equal(beside.code, 0);
    assert.match(beside.out, /TCP connect/);
    const page = await readFile(join(folder, 'page.html'), 'utf8');
    assert.match(page, /^<!DOCTYPE html>[^]*TCP connect[^]*<\/html>\n$/);
    assert.ok(valid(JSON.parse((await run(`${line} --html page.html --json`)).out)));
    assert.match((await run(`${line} --html -`)).out, /^<!DOCTYPE html>/);
    assert.equal((await run(`${line} --output by-name.html`)).out, '');
    assert.match(await readFile(join(folder, 'by-name.html'), 'utf8'), /^<!DOCTYPE html>/);
  });

  test('a page that cannot be written is told before measuring, costs nothing else, and the exit code is 3', async () => {
    const finished = await run(`measure tcp ${place(port)} --count 2 --interval 1ms --json --html no/such/folder/page.html`);
    assert.equal(finished.code, 3);
    assert.ok(valid(JSON.parse(finished.out)));
    assert.ok(finished.err.indexOf('cannot write') < finished.err.indexOf('plan'));
  });

  test('a reader that goes away is no error', async () => {
    const measuring = cli(`measure tcp ${place(port)} --count 2 --interval 1ms --json --quiet`);
    measuring.child.stdout?.destroy();
    assert.deepEqual([(await measuring.finished).code, measuring.err], [0, '']);
  });

  test('the same result as Markdown and CSV', async () => {
    const line = `measure tcp ${place(port)} --count 2 --interval 1ms --quiet`;
    assert.match((await run(`${line} --markdown`)).out, /^# .*\n[^]*\| *---/);
    assert.match((await run(`${line} --csv`)).out, /^[\w,]+\r?\n[^]*127\.0\.0\.1/);
  });

  test('colours are for terminals and for those who force them', async () => {
    const line = `measure tcp ${place(port)} --count 2 --interval 1ms --quiet`;
    const escape = '\u001b[';
    assert.ok(!(await run(line)).out.includes(escape));
    assert.ok((await run(line, { TAUTLINE_COLOR: 'always' })).out.includes(escape));
    assert.ok(!(await run(`${line} --no-color`, { TAUTLINE_COLOR: 'always' })).out.includes(escape));
  });

  test('a port that is taken is told with what to do', async () => {
    const { code, err } = await run(`serve --port ${port}`);
    assert.equal(code, 3);
    assert.match(err, new RegExp(`^tautline: .*${port}.*\n {2}hint: `));
  });
});

function figure(measurements: readonly Measurement[], metric: string): Measurement {
  const found = measurements.find((measurement) => measurement.metric === metric);
  assert.ok(found, `${metric} among ${measurements.map((each) => `${each.metric}: ${each.reason ?? each.outcome}`).join(', ')}`);
  return found;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** A port that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
