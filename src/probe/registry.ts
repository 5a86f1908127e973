import { dnsProbe } from './dns.js';
import { dockerProbe } from './docker.js';
import { echoProbe } from './echo.js';
import { httpProbe } from './http.js';
import { linkProbe } from './link.js';
import { mtuProbe } from './mtu.js';
import { pingProbe } from './ping.js';
import type { Probe } from './probe.js';
import { responsivenessProbe } from './responsiveness.js';
import { sshProbe } from './ssh.js';
import { tailscaleProbe } from './tailscale.js';
import { tcpProbe } from './tcp.js';
import { throughputProbe } from './throughput.js';
import { tlsProbe } from './tls.js';
import { traceProbe } from './trace.js';

/**
 * Every probe, in the order of the help. A new probe is one new file and one line here. Each takes
 * its own options, of which the registry only knows that they extend the common ones: whoever runs a
 * probe from here builds its options from its own `defaults` and `flags`.
 */
export const PROBES: readonly Probe[] = [
  pingProbe,
  echoProbe,
  tcpProbe,
  dnsProbe,
  tlsProbe,
  httpProbe,
  sshProbe,
  throughputProbe,
  responsivenessProbe,
  mtuProbe,
  linkProbe,
  dockerProbe,
  tailscaleProbe,
  traceProbe,
] as unknown as readonly Probe[];
