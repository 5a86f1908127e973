import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import type { Bench } from './bench.js';
import { clockBehaves, commandsBehave, factsBehave, filesBehave, namesBehave } from './host-side.js';
import { datagramsBehave } from './datagrams.js';
import { packetsBehave } from './packets.js';
import { streamsBehave } from './streams.js';
import { webBehaves } from './web.js';

/**
 * What every implementation of the ports must do, in one suite: whoever writes another one runs this
 * over it. Nothing here depends on how long anything takes.
 */
export function portsBehave(name: string, make: () => Promise<Bench>): void {
  describe(`ports of ${name}`, () => {
    let made: Bench | undefined;
    const bench = (): Bench => {
      assert.ok(made, 'the bench was set up');
      return made;
    };
    before(async () => {
      made = await make();
    });
    after(() => made?.close());
    clockBehaves(bench);
    filesBehave(bench);
    commandsBehave(bench);
    namesBehave(bench);
    factsBehave(bench);
    datagramsBehave(bench);
    packetsBehave(bench);
    streamsBehave(bench);
    webBehaves(bench);
  });
}
