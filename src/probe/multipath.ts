import { logGamma } from '../stats/index.js';

/** How sure it is to be that no router beside those seen was overlooked. */
export const CERTAINTY = 0.95;

/**
 * How many flows have to be sent past a place where `seen` routers stand side by side to be sure, with
 * probability `certainty`, that there is not one more: with one more, and flows spread evenly and
 * independently over all, fewer would have missed one with a higher probability than allowed. That is the
 * stopping rule of the multipath detection algorithm (Augustin, Friedman, Teixeira, "Multipath tracing with
 * Paris traceroute", E2EMON 2007; Veitch, Augustin, Teixeira, Friedman, "Failure control in multipath route
 * tracing", INFOCOM 2009): 6 flows for one router, 11 for two, 16 for three.
 */
export function flowsNeeded(seen: number, certainty = CERTAINTY): number {
  const routers = Math.max(1, seen) + 1;
  let flows = routers;
  while (missesOne(flows, routers) > 1 - certainty) flows++;
  return flows;
}

/** Probability that `flows` evenly spread flows leave at least one of `routers` without any, by inclusion and exclusion. */
function missesOne(flows: number, routers: number): number {
  let sum = 0;
  for (let without = 1; without < routers; without++) {
    const term = Math.exp(logChoose(routers, without) + flows * Math.log1p(-without / routers));
    sum += without % 2 === 1 ? term : -term;
  }
  return sum;
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/**
 * Probability of at least this difference by chance when both lose alike: Fisher's exact test, one-sided (`first` loses more).
 */
export function losesMoreByChance(
  first: { readonly sent: number; readonly lost: number },
  second: { readonly sent: number; readonly lost: number },
): number {
  const sent = first.sent + second.sent;
  const lost = first.lost + second.lost;
  let probability = 0;
  for (let k = first.lost; k <= Math.min(first.sent, lost); k++) {
    if (lost - k > second.sent) continue;
    probability += Math.exp(logChoose(first.sent, k) + logChoose(second.sent, lost - k) - logChoose(sent, lost));
  }
  return Math.min(1, probability);
}
