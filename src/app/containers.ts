import type { Ports, Target } from '../base/index.js';
import type { Measurement, Subject } from '../results/index.js';
import type { CheckRequest } from './check.js';
import { runProbe } from './run-check.js';
import type { Unchecked } from './discover-paths.js';

/** What containers on this host must fit to: the smallest MTU of the paths, and the subnets of the other ends. */
export interface ContainerContext {
  readonly pathMtuBytes?: number;
  readonly otherSubnets?: readonly { readonly subnet: string; readonly what: string }[];
}

/**
 * The container engine of this host, where it has one. A host without one lacks nothing; one whose engine does not
 * let us look is told.
 */
export async function lookForContainers(
  ports: Ports,
  request: CheckRequest,
  context: ContainerContext,
): Promise<{ measurements: Measurement[]; unchecked: Unchecked[] }> {
  request.progress.update('looking for containers', undefined);
  const results = await runProbe(
    ports,
    {
      subject: 0,
      probe: 'docker',
      target: HERE,
      path: 'local',
      options: { ...context, timeoutMs: ENGINE_TIMEOUT_MS, ...(request.environment === undefined ? {} : { environment: request.environment }) },
      label: 'containers',
    },
    {
      keyOf: () => undefined,
      seed: request.seed,
      signal: request.signal,
      progress: request.progress,
      onMeasured: () => undefined,
      onProgress: () => undefined,
    },
  );
  const measurements = results.map(({ measurement }) => measurement);
  const worked = measurements.some(({ outcome }) => outcome === 'ok');
  if (worked) return { measurements, unchecked: [] };
  // Nobody listens where engines usually do; that is worth telling only to who says that one listens elsewhere.
  const none = ({ outcome, target }: Measurement): boolean => outcome === 'unsupported' && target === HERE.text;
  const expected = (request.environment?.['DOCKER_HOST'] ?? '') !== '';
  const why = measurements.find((measurement) => expected || !none(measurement));
  return { measurements: [], unchecked: why ? [{ what: 'containers on this host', why: why.reason ?? why.outcome }] : [] };
}

const HERE: Target = { text: 'local', host: 'local' };

/** A local engine answers in milliseconds; one that hangs must not hold the check up. */
const ENGINE_TIMEOUT_MS = 2000;

export function containersSubject(measurements: readonly Measurement[]): Subject[] {
  return measurements.length === 0 ? [] : [{ name: 'containers on this host', role: 'containers', facts: {}, measurements: [...measurements] }];
}
