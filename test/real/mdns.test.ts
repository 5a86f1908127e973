import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Resolution } from '../../src/base/index.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../lab/namespaces.js';
import type { Namespace, PathEnds } from '../lab/namespaces.js';
import { Program, mustRun } from '../lab/processes.js';

const skip = (await whyNoNamespaces()) ?? false;
const program = (name: string): string[] => [process.execPath, fileURLToPath(new URL(`./mdns/${name}.js`, import.meta.url))];

interface Responding {
  readonly behaviour?: string;
  readonly addresses?: readonly string[];
  readonly ipv6Only?: boolean;
}

/** A neighbour that answers for `beta.local`, and a way to look names up beside it. */
async function withResponder<T>(
  how: Responding,
  work: (found: (...args: string[]) => Promise<Resolution>, responder: Program, ends: PathEnds) => Promise<T>,
): Promise<T> {
  const ipv6Only = how.ipv6Only === true;
  return withPath(
    async (ends) => {
      const { near, far } = ends;
      const addresses = how.addresses ?? [far.address4, far.address6];
      const responder = new Program(far.inside([...program('responder'), INTERFACE, 'beta.local', how.behaviour ?? 'answers', ...addresses]));
      try {
        await responder.until((output) => output.includes(addresses.some((each) => each.includes('.')) ? 'ready 2' : 'ready 1'));
        return await work((...args) => lookUp(near, ...args), responder, ends);
      } finally {
        await responder.stop();
      }
    },
    { ipv6Only },
  );
}

async function lookUp(near: Namespace, ...args: string[]): Promise<Resolution> {
  return JSON.parse(await mustRun(near.inside([...program('look-up'), ...args]))) as Resolution;
}

function addressesOf(found: Resolution): string[] {
  return found.outcome === 'ok' ? found.addresses.map(({ host, family }) => `${family} ${host}`) : [`${found.outcome}: ${found.reason}`];
}

describe('names below .local that the system does not know', { skip }, () => {
  test('are asked of the neighbours by multicast, for an answer to a port of our own', async () => {
    await withResponder({}, async (found, responder) => {
      assert.deepEqual(addressesOf(await found('beta.local')), ['4 10.77.0.2', '6 fd77::2']);
      assert.match(responder.output, /asked beta\.local A beta\.local AAAA/);
      assert.doesNotMatch(responder.output, /from 5353\n/);
      assert.deepEqual(addressesOf(await found('Beta.Local.')), ['4 10.77.0.2', '6 fd77::2']);
    });
  });

  test('are asked for the family that was wanted', async () => {
    await withResponder({}, async (found, responder) => {
      assert.deepEqual(addressesOf(await found('beta.local', '6')), ['6 fd77::2']);
      assert.doesNotMatch(responder.output, /beta\.local A /);
      assert.deepEqual(addressesOf(await found('beta.local', '4')), ['4 10.77.0.2']);
    });
  });

  test('are asked over IPv6 where there is nothing else; a link-local address comes with its interface', async () => {
    await withResponder({ ipv6Only: true, addresses: ['fd77::2'] }, async (found) =>
      assert.deepEqual(addressesOf(await found('beta.local')), ['6 fd77::2']),
    );
    await withResponder({ ipv6Only: true, addresses: ['fe80::77'] }, async (found) =>
      assert.deepEqual(addressesOf(await found('beta.local')), [`6 fe80::77%${INTERFACE}`]),
    );
  });

  test('are asked again where the first question was lost', async () => {
    await withResponder({ behaviour: 'sleepy', addresses: ['10.77.0.2'] }, async (found) => {
      assert.deepEqual(addressesOf(await found('beta.local')), ['4 10.77.0.2']);
    });
  });

  test('that nobody answers for are not known, with where it was asked, within a second or so', async () => {
    await withResponder({}, async (found) => {
      const nobody = await found('gamma.local');
      assert.equal(nobody.outcome, 'unknown');
      assert.match(addressesOf(nobody)[0] ?? '', /neither the system nor any host on path0 answers for it \(mDNS\)/);
      assert.ok(nobody.elapsedMs < 1800, `${nobody.elapsedMs} ms`);
      const short = await found('gamma.local', 'any', '500');
      assert.ok(short.elapsedMs < 900, `${short.elapsedMs} ms`);
    });
  });

  for (const behaviour of ['garbage', 'stranger', 'other-name', 'wrong-port']) {
    test(`are not believed to be what a ${behaviour} answer says`, async () => {
      await withResponder({ behaviour }, async (found, responder) => {
        assert.match(addressesOf(await found('beta.local'))[0] ?? '', /^unknown/);
        assert.match(responder.output, /asked beta\.local/, 'it was asked, and its answer not taken');
      });
    });
  }

  test('are asked on every network; other names on none', async () => {
    await withResponder({}, async (found, responder, { near }) => {
      await near.sh(
        'ip link add other0 type veth peer name other1; ip addr add 10.78.0.1/24 dev other0; ip link set other0 up; ip link set other1 up',
      );
      assert.deepEqual(addressesOf(await found('beta.local')), ['4 10.77.0.2', '6 fd77::2']);
      const before = responder.output;
      await found('beta.example', 'any', '500');
      assert.equal(responder.output, before);
    });
  });
});
