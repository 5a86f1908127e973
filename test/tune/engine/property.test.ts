import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SimTuneHost } from '../../../src/sim/tune-host.js';
import type { PlaceRef, PlaceStates } from '../../../src/tune/index.js';
import { resumeApply, standingChanges } from '../../../src/tune/index.js';
import { textFile } from '../../../src/tune/places/entry.js';
import { FOLDER, applyOn, freshHost, orKilled, rollBackOn, stateOf, stepsFor } from './bench.js';

const SYSCTLS = ['/proc/sys/net/core/rmem_max', '/proc/sys/vm/swappiness'] as const;
const FILES = ['/etc/docker/daemon.json', '/etc/sysctl.d/90-tautline.conf', '/etc/sysctl.d/91-other.conf'] as const;
const PLACES: readonly PlaceRef[] = [
  ...SYSCTLS.map((path) => ({ kind: 'kernel-value', path }) as const),
  ...FILES.map((path) => ({ kind: 'entry', path }) as const),
];

type Event =
  /** Applies so much of `places` as the bits say; values are small and come again, so that changes often leave what others left. */
  | { readonly kind: 'apply'; readonly places: number; readonly value: number; readonly killAt: number; readonly half: boolean }
  | { readonly kind: 'roll back'; readonly which: number; readonly killAt: number; readonly half: boolean }
  | { readonly kind: 'resume'; readonly killAt: number; readonly half: boolean }
  | { readonly kind: 'edit'; readonly place: number };

const killAt = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.integer({ min: 1, max: 24 }) });
const half = fc.boolean();
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('apply' as const), places: fc.integer({ min: 1, max: 31 }), value: fc.nat(3), killAt, half }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('roll back' as const), which: fc.nat(4), killAt, half }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resume' as const), killAt, half }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), place: fc.nat(PLACES.length - 1) }) },
);

/** A host with changes and edits by others, and what each place must hold once all changes are undone: what nobody of ours put there. */
class Story {
  readonly host: SimTuneHost = freshHost();
  readonly #others = new Map<string, string>();
  #edits = 0;

  async tell(what: Event): Promise<void> {
    if (what.kind === 'edit') return await this.#edit(PLACES[what.place] as PlaceRef);
    if (what.killAt > 0) this.host.dieAfter(what.killAt, what.half ? 'half' : 'whole');
    await orKilled(() => this.#call(what)).catch(refusal);
    this.host.revive();
    // A death that did not come is not for the next call.
    for (const change of await standingChanges(this.host.ports, FOLDER)) assert.equal(change.damaged, undefined);
  }

  async #call(what: Exclude<Event, { kind: 'edit' }>): Promise<unknown> {
    const standing = await standingChanges(this.host.ports, FOLDER);
    if (what.kind === 'apply') return await applyOn(this.host, { steps: await this.#steps(what.places, what.value) });
    if (what.kind === 'resume') return await resumeApply(this.host.ports, { folder: FOLDER });
    const named = standing[what.which];
    return await rollBackOn(this.host, named === undefined ? {} : { change: named.id });
  }

  async #steps(bits: number, value: number) {
    const chosen = PLACES.filter((_, i) => (bits & (1 << i)) !== 0);
    return await stepsFor(
      this.host.ports,
      chosen.map((place) => [place, place.kind === 'entry' ? textFile(`${value}\n`, { mode: 0o644 }) : String(3000 + value)] as never),
    ).then((steps) =>
      steps.map(
        (step) =>
          (step.place.kind === 'kernel-value' && step.place.path.endsWith('swappiness')
            ? { ...step, desired: String(10 + value) }
            : step) as typeof step,
      ),
    );
  }

  /**
   * Somebody sets a value that nobody else sets. Where a write of ours was cut short, the kernel's value may be what the kernel
   * made of ours, which nobody can tell from somebody's: there only files are edited, which are replaced at once.
   */
  async #edit(place: PlaceRef): Promise<void> {
    const n = ++this.#edits;
    const standing = await standingChanges(this.host.ports, FOLDER);
    const halfDone = standing.some((change) => change.damaged !== undefined || change.state === 'applying' || change.state === 'rolling-back');
    if (place.kind === 'kernel-value') {
      if (halfDone) return;
      const value = place.path.endsWith('swappiness') ? String(100 + n) : String(900_000 + n);
      this.host.machine.values.set(place.path, value);
      this.#others.set(place.path, value);
    } else if (place.kind === 'entry') {
      const text = `somebody's ${n}\n`;
      this.host.machine.tree.put(place.path, {
        kind: 'file',
        bytes: new TextEncoder().encode(text),
        mode: 0o600,
        ownerId: 7,
        groupId: 7,
        modifiedNs: BigInt(n),
        accessedNs: 1n,
      });
      this.#others.set(place.path, text);
    }
  }

  /** Undoes everything, and again, as a place may wait for a later change to go first. */
  async end(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      for (const { id } of await standingChanges(this.host.ports, FOLDER)) await rollBackOn(this.host, { change: id });
    }
    const wanted = freshHost();
    for (const place of PLACES) {
      if (place.kind !== 'kernel-value' && place.kind !== 'entry') continue;
      const others = this.#others.get(place.path);
      if (others === undefined) assert.deepEqual(await this.#held(place), await stateAt(wanted, place), `${place.path} is not what it was`);
      else if (place.kind === 'kernel-value') assert.equal(await this.#held(place), others, `${place.path} is not what somebody set it to`);
      else assert.deepEqual(this.#textAt(place.path), others, `${place.path} is not what somebody wrote`);
    }
    if (this.#others.size === 0) assert.equal(stateOf(this.host), stateOf(wanted));
    const strays = this.host.machine.tree.all().filter(([path]) => path.includes('/.tautline-'));
    // Beside a file that somebody edited in the very middle of its being replaced, the half of ours may stay.
    if (this.#others.size === 0) assert.deepEqual(strays, []);
  }

  #held(place: PlaceRef): Promise<PlaceStates[PlaceRef['kind']] | undefined> {
    return stateAt(this.host, place);
  }

  #textAt(path: string): string | undefined {
    const node = this.host.machine.tree.at(path);
    return node?.kind === 'file' ? new TextDecoder().decode(node.bytes) : undefined;
  }
}

async function stateAt(host: SimTuneHost, place: PlaceRef): Promise<PlaceStates[PlaceRef['kind']] | undefined> {
  const [step] = await stepsFor(host.ports, [[place, '']] as never);
  return step?.original;
}

function refusal(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'TautlineError') throw error;
}

describe('any story of changes, deaths and edits by others', () => {
  test('loses no original, overwrites nothing of others without being forced, and leaves journals that can be read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
        const story = new Story();
        for (const each of events) await story.tell(each);
        await story.end();
      }),
      { numRuns: 300, seed: 20261121 },
    );
  });
});
