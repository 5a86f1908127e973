import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { VERSION } from '../../src/base/index.js';
import { run } from '../../src/cli/program.js';
import { fakeTerminal } from './fake-terminal.js';

const ROOT = process.env['TAUTLINE_ROOT'] ?? process.cwd();

async function typed(line: string): Promise<{ code: number; out: string; err: string }> {
  const terminal = fakeTerminal();
  const code = await run(line === '' ? [] : line.split(' '), terminal);
  return { code, out: terminal.out.join(''), err: terminal.err.join('') };
}

describe('help', () => {
  const PROBES = ['ping', 'echo', 'tcp', 'dns', 'tls', 'http', 'ssh', 'throughput', 'responsiveness', 'mtu', 'link', 'docker', 'tailscale', 'trace'];
  const pages = [
    '',
    'check',
    'serve',
    'measure',
    ...PROBES.map((probe) => `measure ${probe}`),
    'advise',
    'tune',
    ...['list', 'plan', 'apply', 'confirm', 'status', 'verify', 'rollback', 'try'].map((command) => `tune ${command}`),
    'history',
    'history show',
    'export',
    'export schema',
  ];
  for (const page of pages) {
    test(`tautline ${page} --help is as it was last read over`, async () => {
      const { code, out, err } = await typed(`${page} --help`.trim());
      assert.deepEqual([code, err], [0, '']);
      const file = join(ROOT, 'test', 'cli', 'expected', `${page.replace(' ', '-') || 'tautline'}.txt`);
      // TAUTLINE_EXPECT=write takes what is printed now as what is expected; look at the diff before you commit it.
      if (process.env['TAUTLINE_EXPECT'] === 'write') writeFileSync(file, out);
      assert.equal(out, readFileSync(file, 'utf8'));
    });
  }

  test('it tells every exit code', async () => {
    const { out } = await typed('--help');
    for (const code of ['0', '1', '2', '3', '4', '130']) assert.match(out, new RegExp(`^ {2}${code} `, 'm'));
  });
});

describe('the version', () => {
  test('is the one of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.equal(VERSION, version);
    assert.deepEqual(await typed('--version'), { code: 0, out: `${version}\n`, err: '' });
  });
});

describe('a line that cannot be understood', () => {
  const lines: readonly (readonly [line: string, message: string | RegExp, hint: string | RegExp])[] = [
    ['', 'no command given', /tautline check/],
    ['chekc', "unknown command 'chekc'", 'did you mean check?'],
    ['wibble', "unknown command 'wibble'", 'see tautline --help'],
    ['check --quik', "unknown option '--quik'", 'did you mean --quick?'],
    ['check --quick --thorough', /--quick.* cannot be used with .*--thorough/, /help/],
    ['check --json --csv', /--json.* cannot be used with .*--csv/, /help/],
    ['check --html beta', "--html: 'beta' is not the name of a page", /--html report\.html/],
    ['check 10.0.0.1 --html - --json', '--html - and --json both want stdout', /--html report\.html/],
    ['check a b', /too many arguments/, 'see tautline check --help'],
    ['check -4 -6 10.0.0.1', /-4.* cannot be used with .*-6/, /help/],
    ['check --seed x', "--seed: 'x' is not a whole number from 0 to 4294967295", /configuration/],
    ['check ftp://example.org', /'ftp:\/\/example\.org' is not a target: only http/, /10\.0\.0\.1/],
    ['check 10.0.0.1:99999', /port 99999 is outside 1\.\.65535/, /10\.0\.0\.1/],
    ['check 10.0.0.1 --key-file /none/key', 'there is no key file /none/key', /head -c 32 \/dev\/urandom/],
    ['check --config /none/tautline.yaml', 'there is no configuration file /none/tautline.yaml', 'check the path given with --config'],
    ['measure', 'no probe given', /ping, echo, tcp/],
    ['measure ecco 10.0.0.1', "there is no probe 'ecco'", "did you mean 'echo'?"],
    ['measure wibble 10.0.0.1 --count 3', "there is no probe 'wibble'", /the probes are ping/],
    ['measure echo', "missing required argument 'target'", 'see tautline measure --help'],
    ['measure echo 10.0.0.1 --count 0', /^--count: '0' is not a whole number from 1/, /100/],
    ['measure echo 10.0.0.1 --count 1.5', /^--count: '1\.5' is not a whole number/, /100/],
    ['measure echo 10.0.0.1 --interval 5', "--interval: '5' is not a duration", /250us, 1ms/],
    ['measure echo 10.0.0.1 --interval 0s', "--interval: it must be above zero, got '0s'", /10ms/],
    ['measure echo 10.0.0.1 --size 3', /^--size: an echo cannot have 3 bytes/, /64/],
    ['measure echo 10.0.0.1 --dscp XX', /^--dscp: /, /./],
    ['measure echo 10.0.0.1 --cuont 3', "unknown option '--cuont'", 'did you mean --count?'],
    ['measure throughput 10.0.0.1 --streams 0', /^--streams: /, /./],
    ['measure throughput 10.0.0.1 --streams 65', /^--streams: /, /./],
    ['measure throughput 10.0.0.1 --udp --rate 10x', "--rate: '10x' is not a rate", /50M/],
    ['measure throughput 10.0.0.1 --rate 0', /^--rate: a rate must be above zero/, /50M/],
    ['measure throughput 10.0.0.1 --direction left', /^--direction: /, /up/],
    ['measure throughput 10.0.0.1 --duration', "option '--duration <time>' argument missing", /help/],
    ['advise', '--from and --to missing: from which speed to which?', /--from 1G --to 10G --workload model=10GB/],
    ['advise --from 10G --to 1G', '--to 1G is not faster than --from 10G', /slower speed with --from/],
    ['advise --from 1G --to 10G --workload modle=10GB', "there is no workload 'modle'", "did you mean 'model'?"],
    ['advise --from 1G --to 10G --workload model', "--workload model lacks the file's size", /model=10GB/],
    ['advise --from 1G --to 10G --free-ports maybe', /--free-ports.* is invalid/, /help/],
    ['advise --from 1G --to 10G --json --markdown', /cannot be used with/, /help/],
    ['advise --from 1G --to 10G --prices /none/prices.yaml', 'there is no price file /none/prices.yaml', /--prices/],
    ['advise beta', "no check of 'beta' is kept", /tautline check beta/],
    ['history --since 7', "--since: '7' is not a duration", /7d/],
    ['history --limit 0', "--limit: '0' is not a whole number from 1 to 100000", /50/],
    ['history --plto', "unknown option '--plto'", 'did you mean --plot?'],
    ['history show', "missing required argument 'id'", /history/],
    ['history show last', 'no run has been kept yet', /tautline check/],
    ['history shwo last', /too many arguments|unknown/, /./],
    ['tune', 'no command given', /tautline tune plan/],
    ['tune plna', "unknown command 'tune plna'", "did you mean 'plan'?"],
    ['tune --json', 'no command given', /tautline tune plan/],
    ['tune list --jsn', "unknown option '--jsn'", 'did you mean --json?'],
    ['tune list now', /too many arguments/, /./],
    ['tune plan --json --script', /--json.* cannot be used with .*--script/, /help/],
    ['tune plan --json --markdown', /--json.* cannot be used with .*--markdown/, /help/],
    ['tune apply', 'no profile given', /tautline tune plan/],
    ['tune apply moderate', 'this would change the host, and there is no terminal to ask on', /--yes/],
    ['tune apply moderate --json', 'this would change the host, and there is no terminal to ask on', /--yes/],
    ['tune apply moderate --yes --confirm-within 60', "--confirm-within: '60' is not a duration", /60s/],
    ['tune apply moderate --yes --confirm-within 10ms', "--confirm-within: it must be from 1s to 24h, got '10ms'", /60s/],
    ['tune apply moderate --yes --confirm-within 25h', "--confirm-within: it must be from 1s to 24h, got '25h'", /60s/],
    ['tune apply --continue --persist', /--continue.* cannot be used with .*--persist/, /help/],
    ['tune rollback 2026 --all', "--all puts every change back, and '2026' names one", /leave one of them out/],
    ['tune try moderate', /required option '--target <target>' not specified/, /help/],
    ['tune try --target 10.0.0.2', 'no profile given', /--setting KEY=VALUE/],
    ['tune try moderate --target http://10.0.0.2/', /is a URL/, /10\.0\.0\.2:7227/],
    ['tune try moderate --target 10.0.0.2:99999', /port 99999 is outside/, /./],
    ['tune try moderate --target 10.0.0.2 --groups bufers', "--groups: there is no group 'bufers'", "did you mean 'buffers'?"],
    ['tune try moderate --target 10.0.0.2 --groups wibble', "--groups: there is no group 'wibble'", /congestion, buffers/],
    ['tune try moderate --target 10.0.0.2 --blocks 0', "--blocks: '0' is not a whole number from 1 to 1000", /8/],
    ['tune try moderate --target 10.0.0.2 --time soon', "--time: 'soon' is not a duration", /5m/],
    ['tune try --target 10.0.0.2 --setting tcp_rmem', "--setting: 'tcp_rmem' lacks a name and a value", /congestion_control=bbr/],
    ['tune try --target 10.0.0.2 --setting tcp_rmem=', "--setting: 'tcp_rmem=' lacks a value", /congestion_control=bbr/],
    ['tune try moderate --target 10.0.0.2 --json --csv', /cannot be used with/, /help/],
    ['tune status --config /none/tautline.yaml', 'there is no configuration file /none/tautline.yaml', 'check the path given with --config'],
    ['tune guard', /missing required argument|required option/, /./],
    ['export', /./, /schema|help/],
    ['export shcema', /unknown command 'shcema'/, 'did you mean schema?'],
    ['serve --port 0', /0.* is not a whole number from 1 to 65535/, /./],
    ['serve --limit wibble=3', /wibble/, /./],
    ['serve --limit streams-max=many', /streams-max/, /./],
    ['serve --bind 0.0.0.0', /without a key/, /--key-file/],
  ];
  for (const [line, message, hint] of lines) {
    test(`'tautline ${line}' says what is wrong and what to do, and exits with 2`, async () => {
      const { code, out, err } = await typed(line);
      assert.deepEqual([code, out], [2, ''], err);
      const [first = '', second = '', ...rest] = err.trimEnd().split('\n');
      assert.deepEqual(rest, []);
      const said = /^tautline: (.*)$/.exec(first)?.[1] ?? `(not in the form) ${first}`;
      const told = /^ {2}hint: (.*)$/.exec(second)?.[1] ?? `(no hint) ${second}`;
      if (typeof message === 'string') assert.equal(said, message);
      else assert.match(said, message);
      if (typeof hint === 'string') assert.equal(told, hint);
      else assert.match(told, hint);
    });
  }

  test('a stack is shown only to those who ask for it', async () => {
    const terminal = fakeTerminal({ env: { TAUTLINE_DEBUG: '1' } });
    assert.equal(await run(['wibble'], terminal), 2);
    assert.match(terminal.err.join(''), /\n\s+at /);
  });
});

describe('the schema', () => {
  test('is printed as JSON', async () => {
    const { code, out } = await typed('export schema');
    assert.equal(code, 0);
    assert.deepEqual(Object.keys((JSON.parse(out) as { $defs: object }).$defs), [
      ...['check', 'measure', 'advice', 'history'],
      ...['plan', 'change', 'status', 'experiment', 'tune-list'],
    ]);
  });
});
