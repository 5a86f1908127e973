import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import type { HostPorts } from '../../src/app/index.js';
import { TautlineError } from '../../src/base/index.js';
import { runApply, runConfirm, runGuard, runList, runPlan, runRollback, runStatus } from '../../src/cli/tune-run.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { ChangeDocumentSchema, PlanDocumentSchema, StatusDocumentSchema, TuneListDocumentSchema } from '../../src/results/index.js';
import { simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';
import { fakeTerminal } from './fake-terminal.js';
import type { FakeTerminal } from './fake-terminal.js';

const PROFILE = `title: Lab
about: Two values.
risk: low
settings:
  net.ipv4.tcp_slow_start_after_idle: 0
  net.ipv4.tcp_notsent_lowat: 131072
`;
/** Where the package has them on this machine: the simulated host has the same program. */
const FOLDER = join(process.env['TAUTLINE_ROOT'] ?? process.cwd(), 'profiles');
const SHIPPED = Object.fromEntries(readdirSync(FOLDER).map((name) => [join(FOLDER, name), readFileSync(join(FOLDER, name), 'utf8')]));
const LOWAT = '/proc/sys/net/ipv4/tcp_notsent_lowat';
const IDLE = '/proc/sys/net/ipv4/tcp_slow_start_after_idle';
const JOURNALS = { without: ['/var/lib/tautline'] };

function host(user?: NonNullable<TuneHostSpec['user']>): SimTuneHost {
  return simTuneHost({
    name: 'lab',
    host: { addresses: ['10.0.0.1'] },
    values: { [LOWAT]: '4294967295', [IDLE]: '1', '/proc/sys/kernel/osrelease': '6.1.0' },
    files: { ...SHIPPED, '/etc/tautline/profiles/lab.yaml': PROFILE },
    folders: { '/var/lib': 0o755, '/home/me': 0o777 },
    ...(user ? { user } : {}),
  });
}

interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command on the simulated host; virtual time passes as long as it works. */
async function on(made: SimTuneHost, work: (terminal: FakeTerminal, createPorts: () => HostPorts) => Promise<number>, how: Partial<Terminal> = {}) {
  const terminal = fakeTerminal({ homeFolder: '/home/me', workingFolder: '/home/me', ...how });
  const files = Object.assign(made.ports.files, { checkWritable: () => Promise.resolve() });
  const ports = { ...made.ports, files, close: () => Promise.resolve() } as unknown as HostPorts;
  const code = await made.run(() => work(terminal, () => ports));
  return { code, out: terminal.out.join(''), err: terminal.err.join('') } satisfies Typed;
}

const asking = (answer: string | undefined, before?: () => Promise<void>): Partial<Terminal> => ({
  stdinIsTty: true,
  stderrIsTty: true,
  ask: async () => {
    await before?.();
    return answer;
  },
});

describe('tune on a host', () => {
  test('plans without changing anything, in every format', async () => {
    const made = host();
    const before = made.snapshot();
    const plan = await on(made, (terminal, ports) => runPlan(terminal, 'lab', {}, ports));
    assert.equal(plan.code, 0, plan.err);
    assert.match(plan.out, /net\.ipv4\.tcp_notsent_lowat +4294967295 -> 131072/);
    assert.match(plan.out, /\$ tautline tune apply lab --confirm-within 60s/);
    const json = await on(made, (terminal, ports) => runPlan(terminal, 'lab', { json: true }, ports));
    assert.equal(v.parse(PlanDocumentSchema, JSON.parse(json.out)).changes.length, 2);
    const list = await on(made, (terminal, ports) => runList(terminal, { json: true }, ports));
    assert.ok(v.parse(TuneListDocumentSchema, JSON.parse(list.out)).profiles.some(({ name }) => name === 'lab'));
    assert.equal(made.snapshot(), before);
  });

  test('shows the plan before it asks, and changes nothing at any answer but yes', async () => {
    for (const answer of ['', 'n', 'no', 'yess', 'maybe', undefined]) {
      const made = host();
      const before = made.snapshot();
      const { code, out, err } = await on(made, (terminal, ports) => runApply(terminal, 'lab', {}, ports), asking(answer));
      assert.deepEqual([code, out], [130, ''], String(answer));
      assert.match(err, /tcp_notsent_lowat.*Nothing was changed\./s);
      assert.doesNotMatch(err, /Next|nothing has been changed/);
      assert.equal(made.snapshot(), before);
    }
  });

  test('applies at yes, tells drift by its exit code, keeps what somebody else changed, and puts everything back', async () => {
    const made = host();
    const before = made.snapshot(JOURNALS);
    const applied = await on(made, (terminal, ports) => runApply(terminal, 'lab', { json: true }, ports), asking('y'));
    const document = v.parse(ChangeDocumentSchema, JSON.parse(applied.out));
    assert.deepEqual([applied.code, document.state, await made.control.readValue(LOWAT)], [0, 'applied', '131072']);
    assert.notEqual(made.snapshot(JOURNALS), before);
    assert.equal((await on(made, (terminal, ports) => runStatus(terminal, {}, { driftOnly: true }, ports))).code, 0);

    await made.control.writeValue(LOWAT, '65536');
    const drifted = await on(made, (terminal, ports) => runStatus(terminal, {}, { driftOnly: true }, ports));
    assert.equal(drifted.code, 1);
    assert.match(drifted.out, /^DRIFT: [^]*tcp_notsent_lowat +131072 -> 65536/m);
    const status = await on(made, (terminal, ports) => runStatus(terminal, { json: true }, { driftOnly: false }, ports));
    assert.deepEqual([status.code, v.parse(StatusDocumentSchema, JSON.parse(status.out)).drift.length], [1, 1]);

    const conflict = await on(made, (terminal, ports) => runRollback(terminal, undefined, {}, ports));
    assert.equal(conflict.code, 1);
    assert.match(conflict.out, /holds 65536[^]*applied 131072, originally 4294967295/);
    assert.equal(await made.control.readValue(LOWAT), '65536');
    const forced = await on(made, (terminal, ports) => runRollback(terminal, document.change, { force: true }, ports));
    assert.equal(forced.code, 0, forced.err + forced.out);
    assert.equal(made.snapshot(JOURNALS), before);
  });

  test('applies nothing where the host changed between the plan and the answer', async () => {
    const made = host();
    const changed = asking('yes', () => made.control.writeValue(LOWAT, '262144'));
    await assert.rejects(
      on(made, (terminal, ports) => runApply(terminal, 'lab', {}, ports), changed),
      (error: unknown) => error instanceof TautlineError && error.code === 'usage' && /has changed since the plan/.test(error.message),
    );
    assert.deepEqual([await made.control.readValue(LOWAT), await made.control.readValue(IDLE)], ['262144', '1']);
  });

  test('waits for a confirmation, and the guard undoes what nobody confirmed', async () => {
    const made = host();
    const apply = (terminal: Terminal, ports: () => HostPorts): Promise<number> =>
      runApply(terminal, 'lab', { yes: true, json: true, confirmWithin: 60_000 }, ports);
    const waiting = v.parse(ChangeDocumentSchema, JSON.parse((await on(made, apply)).out));
    assert.equal(waiting.state, 'awaiting-confirmation');
    const guarded = await on(made, (terminal, ports) => runGuard(terminal, waiting.change ?? '', { folder: '/var/lib/tautline' }, ports));
    assert.deepEqual([guarded.code, guarded.out, guarded.err], [0, '', '']);
    assert.deepEqual([await made.control.readValue(LOWAT), await made.control.readValue(IDLE)], ['4294967295', '1']);

    assert.equal((await on(made, apply)).code, 0);
    const confirmed = await on(made, (terminal, ports) => runConfirm(terminal, undefined, {}, ports));
    assert.equal(confirmed.code, 0, confirmed.out);
    assert.match(confirmed.out, /^CONFIRMED: /m);
    assert.equal(await made.control.readValue(IDLE), '0');
  });

  test('tells a user without root what root could do, and journals in the user’s own folder', async () => {
    const made = host({ ownerId: 1000, groupId: 1000 });
    const before = made.snapshot();
    const plan = await on(made, (terminal, ports) => runPlan(terminal, 'lab', {}, ports));
    assert.match(plan.out, /all only as root/);
    assert.match(plan.out, /\$ sudo tautline tune apply lab/);
    const applied = await on(made, (terminal, ports) => runApply(terminal, 'lab', { yes: true }, ports));
    assert.equal(applied.code, 1);
    assert.match(applied.out, /Needs root \(2\)/);
    assert.equal(made.snapshot(), before);
  });

  test('takes the profile’s file from where the person is, and names what is wrong in it by file and line', async () => {
    const made = host();
    await made.control.writeEntry('/home/me/bad.yaml', {
      kind: 'file',
      bytesBase64: btoa('extends: lab\nrisk: low\nsettings:\n  net.ipv4.tcp_rmm: 1\n'),
      links: 1,
      mode: 0o644,
      ownerId: 0,
      groupId: 0,
    });
    for (const name of ['bad.yaml', './bad.yaml', '/home/me/bad.yaml']) {
      await assert.rejects(
        on(made, (terminal, ports) => runPlan(terminal, name, {}, ports)),
        (error: unknown) => error instanceof TautlineError && /\/home\/me\/bad\.yaml:4: there is no setting 'net\.ipv4\.tcp_rmm'/.test(error.message),
      );
    }
    await assert.rejects(
      on(made, (terminal, ports) => runPlan(terminal, 'lap', {}, ports)),
      (error: unknown) => error instanceof TautlineError && error.code === 'usage' && /lab/.test(error.hint ?? ''),
    );
  });
});
