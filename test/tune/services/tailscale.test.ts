import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tailscaled } from '../../../src/sim/index.js';
import { placeHolds, readPlace } from '../../../src/tune/index.js';
import { applyAndUndo, changing, leftFor, planOn, served } from './served-host.js';
import type { Served } from './served-host.js';

const SOCKET = '/var/run/tailscale/tailscaled.sock';
const APP = '/Applications/Tailscale.app/Contents/MacOS/Tailscale';
const prefs = (more: Readonly<Record<string, unknown>> = {}, given: Served = {}): Served => ({
  ...given,
  services: { [SOCKET]: tailscaled({ RouteAll: false, AdvertiseRoutes: null, WantRunning: true, ...more }) },
});
const one = async (id: string, value: unknown, given: Served) => (await planOn((await served(given)).view, id, value))[0];

describe('preferences of the Tailscale client', () => {
  test('routes of others are taken over, and given back', async () => {
    const { host, view, viewAgain } = await served(prefs());
    const [step] = await planOn(view, 'tailscale-accept-routes', 'on');
    assert.deepEqual([changing(step).now, changing(step).proposed], ['off', 'on']);
    await applyAndUndo(host, [changing(step)], async () => {
      leftFor((await planOn(await viewAgain(), 'tailscale-accept-routes', 'on'))[0], 'already');
    });
  });

  test('the offer of an exit node is taken back, and other routes stay', async () => {
    const { host, view } = await served(prefs({ AdvertiseRoutes: ['10.1.0.0/16', '0.0.0.0/0', '::/0'] }));
    const [step] = await planOn(view, 'tailscale-exit-node', 'off');
    assert.ok(changing(step).notes?.some((note) => note.includes('10.1.0.0/16')));
    await applyAndUndo(host, [changing(step)], async () => {
      assert.deepEqual(await readPlace(host.ports, { kind: 'tailscale-pref', name: 'AdvertiseRoutes' }), ['10.1.0.0/16']);
    });
    leftFor(await one('tailscale-exit-node', 'off', prefs()), 'already');
    const never = await served(prefs());
    await applyAndUndo(never.host, await planOn(never.view, 'tailscale-exit-node', 'on'), () => {});
  });

  test('routes in another order are the same routes', () => {
    const place = { kind: 'tailscale-pref', name: 'AdvertiseRoutes' } as const;
    assert.ok(placeHolds(place, ['::/0', '0.0.0.0/0'], ['0.0.0.0/0', '::/0']));
    assert.ok(placeHolds(place, null, []));
    assert.ok(!placeHolds(place, ['::/0'], ['0.0.0.0/0']));
  });

  test('are not changed where there is no client, it is logged out, or the user is not its operator', async () => {
    assert.match(leftFor(await one('tailscale-accept-routes', 'on', {}), 'not-applicable'), /no Tailscale client here/);
    assert.match(leftFor(await one('tailscale-accept-routes', 'on', prefs({ LoggedOut: true })), 'not-applicable'), /logged out/);
    assert.match(leftFor(await one('tailscale-accept-routes', 'on', prefs({}, { root: false })), 'needs-root'), /--operator=ana/);
    assert.match(
      leftFor(await one('tailscale-accept-routes', 'on', prefs({ OperatorUser: 'bob' }, { root: false })), 'needs-root'),
      /operator \(bob\)/,
    );
    changing(await one('tailscale-accept-routes', 'on', prefs({ OperatorUser: 'ana' }, { root: false })));
  });

  test('that the client refuses are a failure that says how to be permitted', async () => {
    const { host } = await served(prefs({}, { root: false }));
    const step = changing(await one('tailscale-accept-routes', 'on', prefs({ OperatorUser: 'ana' }, { root: false })));
    await assert.rejects(
      applyAndUndo(host, [step], () => {}),
      /403 \(prefs write access denied\)/,
    );
  });

  test('do not make connections direct, and the answer says what does', async () => {
    assert.match(leftFor(await one('tailscale-direct', 'on', prefs()), 'no-effect'), /UDP port 41641/);
  });

  test('that are no preferences are told, not believed', async () => {
    const garbled = { services: { [SOCKET]: () => ({ body: '<html>' }) } };
    await assert.rejects(one('tailscale-accept-routes', 'on', garbled), /what it says is not understood/);
    const shell = { services: { [SOCKET]: () => ({ body: JSON.stringify({ AdvertiseRoutes: ['$(id)'] }) }) } };
    await assert.rejects(one('tailscale-exit-node', 'off', shell), /not understood/);
  });

  test('of the app for macOS are asked and set by its own program', async () => {
    const app: Served = {
      os: 'macOS 15.1',
      kernel: '24.1.0',
      files: { [APP]: '' },
      programs: {
        [APP]: (args, { machine }) => {
          if (args.join(' ') === 'debug prefs')
            return { stdout: JSON.stringify({ RouteAll: machine.kept.get('app') === 'on', AdvertiseRoutes: null }) };
          if (args.join(' ') === 'set --accept-routes=true') return { change: () => machine.kept.set('app', 'on') };
          if (args.join(' ') === 'set --accept-routes=false') return { change: () => machine.kept.delete('app') };
          return { code: 1, stderr: 'usage' };
        },
      },
    };
    const { host, view, viewAgain } = await served(app);
    await applyAndUndo(host, await planOn(view, 'tailscale-accept-routes', true), async () => {
      leftFor((await planOn(await viewAgain(), 'tailscale-accept-routes', true))[0], 'already');
    });
  });
});
