/**
 * What is noticed on a path before anything is explained: one entry a symptom, with the figure from which on it is
 * one. Thresholds leave room for noise: bounds of intervals are compared, not points, and what has too few samples
 * is not noticed at all.
 *
 *     const noticed = SYMPTOMS.flatMap((symptom) => symptom.notice(context));
 */
import { bufferbloat, highLatency, jitter, reordering, worseThanSibling } from './delay.js';
import { largePacketsVanish, loss, lossUnderLoad } from './loss.js';
import { brokenNames, clock, slowConnect, slowNames, slowResponder, slowServer, slowSsh, slowTls } from './services.js';
import { containerTrouble, linkState, noAnswer, smallMtu, sshState, stoppedAnswering, vpnState } from './state.js';
import type { Symptom } from './symptom.js';
import { asymmetry, limitedThroughput, lowThroughput, stalledTransfer } from './throughput.js';

const LIST = [
  noAnswer,
  stoppedAnswering,
  largePacketsVanish,
  loss,
  lossUnderLoad,
  bufferbloat,
  highLatency,
  jitter,
  reordering,
  lowThroughput,
  stalledTransfer,
  limitedThroughput,
  asymmetry,
  slowConnect,
  slowNames,
  brokenNames,
  slowTls,
  slowServer,
  slowResponder,
  slowSsh,
  sshState,
  vpnState,
  worseThanSibling,
  linkState,
  smallMtu,
  containerTrouble,
  clock,
] as const;

export type SymptomId = (typeof LIST)[number]['id'];
export const SYMPTOMS: readonly Symptom<SymptomId>[] = LIST;
export type { Symptom } from './symptom.js';
