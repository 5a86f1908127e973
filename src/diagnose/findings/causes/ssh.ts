import { formatMs, shellWord } from '../../../base/index.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { find, isLocal, msItem } from '../figures.js';
import { change, look } from '../steps.js';
import { sshOf } from '../symptoms/state.js';
import { worked } from '../../path-figures.js';

/** A login below this is not worth sharing a connection for. */
const LOGIN_MS = 300;

export const sshMultiplexing: Cause = {
  id: 'ssh-multiplexing',
  title: 'SSH makes a new connection for every command',
  severity: 'notice',
  explains: ['ssh-setup', 'slow-ssh'],
  check: 'the time of a fresh login against one over a shared connection, and whether ControlMaster is set up',
  fix: 'ControlMaster auto, a ControlPath and ControlPersist for the peer in ~/.ssh/config',
  judge(facts) {
    const told = sshOf(facts);
    if (!told?.multiplexing) return unknown('the SSH settings for the peer were not read');
    if (told.multiplexing.configured) return excluded('shared connections are set up');
    const login = find(facts.path, 'ssh') ?? find(facts.path, 'ssh.kex');
    const ms = login && worked(login, 'ms') ? (login.summary?.ci95?.[0] ?? login.summary?.min ?? 0) : undefined;
    if (ms === undefined) return unknown('no login was measured');
    if (ms < LOGIN_MS) return excluded(`a fresh login takes ${formatMs(ms)}`);
    return {
      state: 'supported',
      proof: 'shown',
      of: 'path',
      evidence: [msItem(`a fresh connection takes ${formatMs(ms)}, and none is shared`, { metric: login?.metric ?? 'ssh', value: ms })],
      next: [
        change(
          `add to ~/.ssh/config for ${told.alias ?? told.host ?? facts.path.peer}: ControlMaster auto, ControlPath ~/.ssh/sockets/%C, ControlPersist 10m`,
          'mkdir -p -m 700 ~/.ssh/sockets',
        ),
      ],
    };
  },
};

export const sshStaleSocket: Cause = {
  id: 'ssh-stale-socket',
  title: 'Sockets of shared SSH connections that are gone are left over',
  severity: 'warning',
  explains: ['ssh-setup', 'slow-ssh'],
  check: 'control sockets whose master does not answer',
  fix: 'remove them: ssh waits for them, or falls back to a new connection each time',
  specificity: 2,
  judge(facts) {
    const told = sshOf(facts);
    if (!told) return unknown('the SSH settings for the peer were not read');
    const stale = told.staleSockets ?? [];
    if (stale.length === 0) return excluded('no control socket is left over');
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: [
        {
          text: `nobody answers on ${stale.slice(0, 3).join(', ')}${stale.length > 3 ? ` and ${stale.length - 3} more` : ''}`,
          value: stale.length,
          unit: 'count',
          expected: 0,
        },
      ],
      next: [
        change(
          'remove them',
          `rm ${stale
            .slice(0, 5)
            .map((path) => `'${path}'`)
            .join(' ')}`,
        ),
      ],
    };
  },
};

export const sshKeys: Cause = {
  id: 'ssh-keys',
  title: 'An SSH key will not be used as it is',
  severity: 'warning',
  explains: ['ssh-setup', 'slow-ssh'],
  check: "each key's permissions and owner, as ssh demands them",
  fix: 'chmod 600 for keys, 700 for ~/.ssh',
  specificity: 1,
  judge(facts) {
    const told = sshOf(facts);
    if (!told) return unknown('the SSH settings for the peer were not read');
    const bad = (told.keys ?? []).filter(({ problem }) => problem !== undefined);
    if (bad.length === 0) return excluded('nothing is wrong with the keys');
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: bad.map(({ path, problem }) => ({ text: `${path}: ${problem ?? ''}` })),
      next: bad.map(({ path, fix }) => change(`mend ${path}`, fix ?? `chmod 600 ${shellWord(path)}`)),
    };
  },
};

export const sshCompression: Cause = {
  id: 'ssh-compression',
  title: 'SSH compresses on a fast network',
  severity: 'notice',
  explains: ['ssh-setup'],
  check: 'Compression in the settings for a peer on a local path',
  fix: 'Compression no for it: "will only slow down things on fast networks" (ssh(1))',
  judge(facts) {
    const told = sshOf(facts);
    if (told?.compression === undefined) return unknown('the SSH settings for the peer were not read');
    if (!told.compression || !isLocal(facts)) return excluded(told.compression ? 'the path is not a local one' : 'compression is off');
    return {
      state: 'supported',
      proof: 'shown',
      evidence: [{ text: 'Compression is on for a peer of the same site' }],
      next: [change(`set Compression no for ${told.alias ?? told.host ?? facts.path.peer} in ~/.ssh/config`)],
    };
  },
};

export const sshServerSlow: Cause = {
  id: 'ssh-server-slow',
  title: 'The SSH server takes long before it answers',
  severity: 'warning',
  explains: ['slow-ssh'],
  check: 'the banner and the key exchange beside a connect that is fast',
  fix: 'UseDNS no at the server, no slow PAM modules, and a processor that has room',
  specificity: 2,
  judge(facts) {
    const banner = ['ssh.banner', 'ssh.kex', 'ssh'].map((metric) => find(facts.path, metric)).find((each) => each && worked(each, 'ms'));
    const connect = find(facts.path, 'connect')?.summary?.median ?? find(facts.path, 'rtt')?.summary?.median;
    if (!banner?.summary) return unknown('no SSH banner was measured');
    if (connect === undefined) return unknown('no connect was measured beside it');
    const more = (banner.summary.ci95?.[0] ?? banner.summary.min) - 4 * connect;
    if (more < LOGIN_MS) return excluded(`the server adds ${formatMs(Math.max(0, more))} to its round trips`);
    return {
      state: 'supported',
      proof: 'shown',
      of: 'far',
      evidence: [
        msItem(
          `connecting takes ${formatMs(connect)}, ${banner.metric === 'ssh' ? 'the login' : banner.metric === 'ssh.kex' ? 'the key exchange' : 'the banner'} ${formatMs(banner.summary.median)}`,
          { metric: banner.metric, value: banner.summary.median, expected: connect },
        ),
      ],
      next: [
        look('see where a login waits', `ssh -vvv ${shellWord(facts.path.address ?? facts.path.peer)} true`),
        change('set UseDNS no in sshd_config at the server, and look at its PAM modules'),
      ],
    };
  },
};
