import { shellWord } from '../../../base/index.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause } from '../cause.js';
import { change, look, onOs } from '../steps.js';

function connects(facts: Case) {
  return facts.path.measurements.filter(({ probe }) => probe !== 'ping' && probe !== 'dns' && probe !== 'link' && probe !== 'trace');
}

function pings(facts: Case): boolean {
  return facts.path.measurements.some(({ probe, outcome }) => probe === 'ping' && outcome === 'ok');
}

export const portClosed: Cause = {
  id: 'port-refused',
  title: 'The host answers, and nothing listens on the port',
  severity: 'critical',
  explains: ['no-answer'],
  check: 'a refusal (RST) instead of silence: the host is up, and says that nothing listens',
  fix: 'start the service, or ask for its real port',
  judge(facts) {
    const refused = connects(facts).find(({ outcome }) => outcome === 'refused');
    if (!refused) return excluded('no connection was refused');
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [{ text: refused.reason ?? `${refused.target} refused`, metric: refused.metric }],
      next: [look('see at the peer what listens', 'ss -ltnup'), change('start the service there', 'tautline serve')],
    };
  },
};

export const firewall: Cause = {
  id: 'firewall',
  title: 'Something drops packets to the port without an answer',
  severity: 'critical',
  explains: ['no-answer'],
  check: 'silence on the port, while the host answers pings',
  fix: 'let the port through on the peer’s firewall and on those between',
  specificity: 1,
  judge(facts) {
    const silent = connects(facts).find(({ outcome }) => outcome === 'timeout' || outcome === 'lost');
    if (!silent) return excluded('nothing was left without an answer');
    if (!pings(facts)) return unknown('the host does not answer pings either, so it may be down');
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [{ text: `${silent.reason ?? `${silent.target} is silent`}, while the host answers pings`, metric: silent.metric }],
      next: [
        look('see the rules at the peer', onOs(facts, { linux: 'nft list ruleset; iptables-save', darwin: 'sudo pfctl -s rules' })),
        change('let the port through there (TCP and UDP)'),
      ],
    };
  },
};

export const peerDown: Cause = {
  id: 'peer-down',
  title: 'The peer, or the way to it, is down',
  severity: 'critical',
  explains: ['no-answer'],
  check: 'silence on everything, pings too; other paths to the same peer tell whether it is the peer or the way',
  fix: 'wake or start the peer, or mend the way to it',
  judge(facts) {
    if (pings(facts)) return excluded('the host answers pings');
    if (connects(facts).some(({ outcome }) => outcome === 'refused')) return excluded('the host refuses connections, so it is up');
    const other = facts.siblings.find(({ measurements }) => measurements.some(({ outcome, probe }) => outcome === 'ok' && probe !== 'link'));
    const name = shellWord(facts.path.address ?? facts.path.peer);
    const { near } = facts.path;
    // Where the links could be read, so could the routes.
    if (near && !near.route && near.containerSubnets !== undefined)
      return {
        state: 'supported',
        proof: 'shown',
        title: 'This host has no route to the peer',
        evidence: [],
        next: [
          look('see which routes there are', onOs(facts, { linux: 'ip route; ip -6 route; ip link', darwin: 'netstat -rn; ifconfig' })),
          other ? change(`use the path ${other.path} meanwhile`) : change('connect this host to that network, or correct the address'),
        ],
      };
    return {
      state: 'supported',
      proof: 'fits',
      title: other ? `The path is down, the peer is not` : 'The peer, or the way to it, is down',
      evidence: other ? [{ text: `the path ${other.path} to the same peer works` }] : [],
      next: [
        look(
          'see whether the peer is in the neighbour table',
          onOs(facts, { linux: `ip neigh show; ip route get ${name}`, darwin: `arp -a; route -n get ${name}` }),
        ),
        look('see how far packets come', `tautline measure trace ${name}`, 'trace'),
        ...(other ? [change(`use the path ${other.path} meanwhile`)] : [change('see whether the peer is on, and plugged in')]),
      ],
    };
  },
};

export const peerStopped: Cause = {
  id: 'peer-stopped',
  title: 'The path broke while it was measured',
  severity: 'critical',
  explains: ['stopped-answering'],
  check: 'answers at first, and then none to anything; silence is the way or the host, a refusal is the service',
  fix: 'see what happened at that time: the service, the host, its link, its address',
  judge(facts) {
    const [gone] = facts.noticed;
    if (!gone) return excluded('it answered to the end');
    const other = facts.siblings.find(({ measurements }) => measurements.some(({ outcome, probe }) => outcome === 'ok' && probe === 'trace'));
    const name = shellWord(facts.path.address ?? facts.path.peer);
    const refused = connects(facts).some(({ outcome }) => outcome === 'refused');
    return {
      state: 'supported',
      proof: 'shown',
      title: refused ? 'The service at the peer stopped while it was measured' : 'The path broke while it was measured',
      evidence: other && !refused ? [{ text: `the path ${other.path} to the same peer still worked` }] : [],
      next: [
        refused
          ? look('see at the peer why it stopped', 'ss -ltnup; journalctl -e')
          : look('see where the way goes now', onOs(facts, { linux: `ip route get ${name}; ip neigh show`, darwin: `route -n get ${name}; arp -a` })),
        look('measure it again', `tautline check ${name}`),
      ],
    };
  },
};
