/**
 * The causes, one entry each; a new one is one entry here and one object beside its kin. The order says nothing: the
 * engine ranks by evidence.
 */
import type { Cause } from '../cause.js';
import { bufferbloat } from './bufferbloat.js';
import { congestionLoss } from './congestion-loss.js';
import { containerMtu, containerUnhealthy, overlappingSubnets } from './containers.js';
import { detour } from './detour.js';
import { distance } from './distance.js';
import { reordering, variableDelay, wirelessJitter } from './jitter.js';
import { halfDuplex, linkBelowCapability, linkErrors, offloadOff, receiveDrops } from './links.js';
import { mtuBlackHole, pathMtu } from './mtu.js';
import { dnsBroken, dnsSlow, lookupDetour } from './names.js';
import { farCpu, receiverProcessor, senderProcessor, singleQueue, steal, vpnEncryption } from './processors.js';
import { randomLoss } from './random-loss.js';
import { policer } from './policer.js';
import { shaper, slowSegment } from './rate-limit.js';
import { firewall, peerDown, peerStopped, portClosed } from './reach.js';
import { clockSteps, serverSlow, synLoss, tlsSlow } from './services.js';
import { sshCompression, sshKeys, sshMultiplexing, sshServerSlow, sshStaleSocket } from './ssh.js';
import { relayedVpn, vpnBroken, vpnOverhead, worsePath } from './vpn.js';
import { windowLimited } from './windows.js';

export const CAUSES: readonly Cause[] = [
  peerDown,
  firewall,
  portClosed,
  peerStopped,
  mtuBlackHole,
  pathMtu,
  linkBelowCapability,
  halfDuplex,
  linkErrors,
  receiveDrops,
  offloadOff,
  slowSegment,
  shaper,
  policer,
  congestionLoss,
  bufferbloat,
  randomLoss,
  reordering,
  wirelessJitter,
  variableDelay,
  distance,
  detour,
  windowLimited,
  receiverProcessor,
  senderProcessor,
  farCpu,
  singleQueue,
  steal,
  vpnEncryption,
  relayedVpn,
  vpnBroken,
  vpnOverhead,
  worsePath,
  dnsSlow,
  dnsBroken,
  lookupDetour,
  synLoss,
  tlsSlow,
  serverSlow,
  sshServerSlow,
  sshMultiplexing,
  sshStaleSocket,
  sshKeys,
  sshCompression,
  containerUnhealthy,
  containerMtu,
  overlappingSubnets,
  clockSteps,
];
