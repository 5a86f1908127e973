import { formatMs, shellWord } from '../../../base/index.js';
import { isTunnelled } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Cause, EvidenceItem } from '../cause.js';
import { change, look } from '../steps.js';
import { tailscaleOf } from '../symptoms/state.js';

export const relayedVpn: Cause = {
  id: 'vpn-relayed',
  title: 'The VPN goes over a relay instead of directly',
  severity: 'warning',
  explains: ['vpn-state', 'high-latency', 'low-throughput', 'limited-throughput', 'worse-than-other-path', 'jitter'],
  check: "the Tailscale client's own word on the peer: direct, or over which DERP relay; netcheck says why",
  fix: 'let UDP 41641 through on one side, or turn port mapping on; two NATs that map per destination cannot meet',
  specificity: 5,
  judge(facts) {
    const told = tailscaleOf(facts);
    if (!isTunnelled(facts.path) && !told) return excluded('the path has no VPN');
    const { peer, netcheck } = told ?? {};
    if (!told || !peer) return unknown('the Tailscale client did not tell about this peer');
    if (peer.connection !== 'relayed')
      return peer.connection === 'direct'
        ? excluded('the Tailscale client has a direct connection')
        : unknown(`the Tailscale client says "${peer.connection}"`);
    const why: EvidenceItem[] = [
      ...(netcheck?.udp === false ? [{ text: 'UDP does not get out of this network at all' }] : []),
      ...(netcheck?.mappingVaries === true ? [{ text: "this network's NAT maps each destination anew, so peers cannot be told where to send" }] : []),
      ...(netcheck?.portMapping === '' ? [{ text: 'the router offers no port mapping (UPnP, NAT-PMP, PCP)' }] : []),
    ];
    const relay = peer.relay ?? netcheck?.nearestRelay;
    const ms = relay === undefined ? undefined : netcheck?.relayLatencyMs?.[relay];
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [
        { text: `packets to ${peer.name} go over the relay ${relay ?? '(unnamed)'}${ms === undefined ? '' : `, which is ${formatMs(ms)} away`}` },
        ...why,
      ],
      next: [
        look('ask for a direct connection', `tailscale ping ${shellWord(peer.name)}`),
        look('see what the network allows', 'tailscale netcheck', 'tailscale'),
        change('let UDP 41641 in on the firewall of one side, or turn on UPnP or NAT-PMP on its router'),
      ],
    };
  },
};

export const vpnBroken: Cause = {
  id: 'vpn-direct-broken',
  title: 'The VPN says direct, and packets do not come through',
  severity: 'critical',
  explains: ['vpn-state', 'no-answer', 'large-packets-vanish', 'loss'],
  check: "the Tailscale client's word against a measurement of the same path",
  fix: 'restart the client on both sides; a NAT that forgot the mapping, or a firewall that was changed, needs a new handshake',
  specificity: 5,
  judge(facts) {
    const told = tailscaleOf(facts);
    if (!told?.peer) return isTunnelled(facts.path) ? unknown('the Tailscale client did not tell about this peer') : excluded('the path has no VPN');
    const silent = facts.noticed.some(({ symptom }) => symptom === 'no-answer') && told.peer.connection === 'direct' && told.peer.online;
    if (told.directButBroken !== true && !silent) return excluded('what the client says of the peer fits what was measured');
    const { peer } = told;
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [
        {
          text: `the client says direct${peer.endpoint === undefined ? '' : ` over ${peer.endpoint}`}${peer.handshakeAgeMs === undefined ? '' : `, last handshake ${formatMs(peer.handshakeAgeMs)} ago`}; nothing came back`,
        },
      ],
      next: [
        look('see whether the relay still works', `tailscale ping --until-direct=false ${shellWord(peer.name)}`),
        change('restart the client on both sides', 'tailscale down && tailscale up'),
      ],
    };
  },
};

export const vpnOverhead: Cause = {
  id: 'vpn-overhead',
  title: 'The VPN costs much where a local path exists',
  severity: 'notice',
  explains: ['worse-than-other-path', 'low-throughput', 'limited-throughput'],
  check: 'both paths measured in turns: twice the round trip, or less than half of the throughput, through the tunnel',
  fix: 'use the local path for what needs speed, and the tunnel for what needs its protection',
  specificity: 1,
  judge(facts) {
    if (!isTunnelled(facts.path)) return excluded('the path has no tunnel');
    const direct = facts.siblings.find(({ kind }) => kind === 'lan');
    if (!direct) return excluded('the peer has no local path');
    if (!facts.noticed.some(({ symptom }) => symptom === 'worse-than-other-path'))
      return excluded(`it does not cost much against the path ${direct.path}`);
    return { state: 'supported', proof: 'fits', evidence: [], next: [change(`use the path ${direct.path} for bulk and for what waits`)] };
  },
};

export const worsePath: Cause = {
  id: 'worse-path',
  title: 'Another path to the same peer is much better',
  severity: 'notice',
  explains: ['worse-than-other-path'],
  check: 'all paths to the peer measured in turns, with intervals that do not meet',
  fix: 'make the better path the default',
  judge(facts) {
    if (isTunnelled(facts.path)) return excluded('the path is a tunnel beside a local one');
    if (!facts.noticed.some(({ symptom }) => symptom === 'worse-than-other-path')) return excluded('no other path is much better');
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [],
      next: [change('use the better path by default (default-path of the peer in tautline.yaml)')],
    };
  },
};
