import type { Clock, HostFacts } from '../base/index.js';
import { VERSION } from '../base/index.js';
import type { MeasureDocument } from '../results/index.js';

export type Head = Pick<MeasureDocument, 'tool' | 'host' | 'startedAt'>;

/** What every document opens with. */
export async function documentHead(ports: { clock: Clock; facts: HostFacts }): Promise<Head> {
  const startedAt = new Date(ports.clock.wallMs()).toISOString();
  return { tool: { name: 'tautline', version: VERSION }, host: await ports.facts.identity(), startedAt };
}
