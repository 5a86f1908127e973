import * as v from 'valibot';
import { changesToText } from '../file-look.js';
import type { HostView, PlanRules, Setting, Source, Step } from '../../setting.js';
import { setJson, valueAt } from '../../text/json-edit.js';
import { changeFiles, notDone } from '../steps.js';
import { conflictsWith, DOCKERD, findDockerFile, RESTART } from './docker-file.js';

type Wanted = 'uplink' | 'tailscale' | number;

const MOBY_34981: Source = {
  title: 'moby issue 34981: mtu of daemon.json covers the default bridge only',
  url: 'https://github.com/moby/moby/issues/34981',
};
const TAILSCALE_MTU: Source = { title: 'Tailscale: the MTU of its interface is 1280', url: 'https://tailscale.com/kb/1023/troubleshooting' };
const TAILSCALE_MTU_BYTES = 1280;
/** What the engine takes without any setting (libnetwork, the bridge driver). */
const DEFAULT_BYTES = 1500;
const SOCKET = '/var/run/docker.sock';
const ASK_TIMEOUT_MS = 1000;
const ANSWER_BYTES_MAX = 1024 * 1024;
const NETWORKS_SHOWN_MAX = 8;

/** The MTU of the default bridge of Docker. */
export const dockerMtu: Setting<Wanted> = {
  id: 'docker-mtu',
  title: "MTU of Docker's default bridge",
  platforms: ['linux', 'macos'],
  effect: 'measurable',
  scope: 'service',
  group: 'containers',
  needs: { root: true, restart: 'dockerd' },
  sources: [MOBY_34981, DOCKERD, TAILSCALE_MTU],
  why: 'Containers believe in an MTU of 1500 whatever the host has. Where the uplink has less, their large packets are fragmented or lost until path MTU discovery finds out, if ICMP comes through.',
  takes: "'uplink', 'tailscale' (1280, where containers are reached through it) or a number of bytes from 576 to 65535",
  parse(value) {
    if (value === 'uplink' || value === 'tailscale') return { value };
    const bytes = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 576 && bytes <= 65_535) return { value: bytes };
    return { problem: "'uplink', 'tailscale' or a number from 576 to 65535 is expected" };
  },
  write: (value) => String(value),
  plan: async (view, wanted, rules) => [await planMtu(view, wanted, rules)],
};

async function planMtu(view: HostView, wanted: Wanted, rules: PlanRules): Promise<Step> {
  const file = await findDockerFile(view);
  if ('verdict' in file) return file;
  if (view.platform === 'macos' && typeof wanted !== 'number') {
    return notDone(
      'no-effect',
      'Docker Desktop ends connections of containers in a program on this Mac, which opens its own: the MTU of an interface here does not reach them',
    );
  }
  const bytes = bytesOf(view, wanted);
  if (bytes === undefined) return notDone('unreadable', 'no uplink is known whose MTU the containers could have');
  const tunnel = view.links.find(({ name }) => name === 'tailscale0');
  const proposed = `mtu ${bytes}`;
  if (tunnel && wanted === 1400) {
    return notDone(
      'bad-value',
      `tailscale0 takes packets of ${tunnel.mtu ?? TAILSCALE_MTU_BYTES} bytes, so that 1400 is still too large where containers are reached through it, and smaller than needed elsewhere: write 'tailscale' or 'uplink'`,
      { proposed },
    );
  }
  const conflict = conflictsWith(file, '--mtu');
  if (conflict) return { ...conflict, proposed };
  const { look, made } = file;
  const found = valueAt(look.text ?? '', ['mtu']);
  if (found && 'problem' in found)
    return notDone('bad-value', `${look.path} is not changed, as it is no JSON that dockerd reads: ${found.problem}`, { proposed });
  const set = typeof found?.value === 'number' ? found.value : undefined;
  const now = set ?? DEFAULT_BYTES;
  const shown = { now: set === undefined ? `mtu ${DEFAULT_BYTES} (default)` : `mtu ${set}`, proposed };
  const networks = await userNetworks(view, bytes);
  if (now === bytes) return notDone('already', [`the default bridge has ${bytes} already`, ...networks].join('; '), shown);
  if (set !== undefined && set > bytes && wanted !== 'tailscale' && !rules.exact && set <= (smallest(view) ?? set)) {
    return notDone('would-lower', `${look.path} sets ${set}, which the uplink carries`, shown);
  }
  const edit = setJson(look.text ?? '', ['mtu'], bytes);
  if ('problem' in edit) return notDone('bad-value', `${look.path} is not changed, as it is no JSON that dockerd reads: ${edit.problem}`, shown);
  return changeFiles({
    ...shown,
    why: dockerMtu.why,
    changes: await changesToText(view.ports.control, look, edit.text, made),
    takesEffect: view.platform === 'macos' ? 'restart Docker Desktop' : RESTART,
    notes: [
      'it counts for containers on the default bridge only (moby 34981); networks of your own have an MTU of their own',
      ...networks,
      ...(tunnel && bytes > (tunnel.mtu ?? TAILSCALE_MTU_BYTES)
        ? [
            `tailscale0 takes ${tunnel.mtu ?? TAILSCALE_MTU_BYTES} bytes: where containers are reached through it, write 'tailscale', or clamp the segment size (mss-clamp: 1240)`,
          ]
        : []),
    ],
  });
}

function bytesOf(view: HostView, wanted: Wanted): number | undefined {
  if (wanted === 'tailscale') return view.links.find(({ name }) => name === 'tailscale0')?.mtu ?? TAILSCALE_MTU_BYTES;
  return wanted === 'uplink' ? smallest(view) : wanted;
}

function smallest(view: HostView): number | undefined {
  const sizes = view.links.filter(({ name }) => view.uplinks.includes(name)).flatMap(({ mtu }) => mtu ?? []);
  return sizes.length === 0 ? undefined : Math.min(...sizes);
}

const NetworksSchema = v.array(
  v.object({ Name: v.string(), Driver: v.optional(v.string()), Options: v.optional(v.nullable(v.record(v.string(), v.string()))) }),
);

/** Networks that somebody has made and that this leaves as they are; nothing where the engine does not tell. */
async function userNetworks(view: HostView, bytes: number): Promise<readonly string[]> {
  const client = view.ports.web.client();
  const answer = await client.request({
    url: 'http://localhost/networks',
    socketPath: SOCKET,
    method: 'GET',
    timeoutMs: ASK_TIMEOUT_MS,
    keepBytesMax: ANSWER_BYTES_MAX,
  });
  client.close();
  if (answer.outcome !== 'ok' || answer.status !== 200) return [];
  const networks = parseNetworks(new TextDecoder().decode(answer.body ?? new Uint8Array()));
  const others = networks.filter(({ name, mtu }) => name !== 'bridge' && (mtu ?? DEFAULT_BYTES) !== bytes);
  if (others.length === 0) return [];
  const named = others.slice(0, NETWORKS_SHOWN_MAX).map(({ name, mtu }) => `${name} (${mtu ?? DEFAULT_BYTES})`);
  const more = others.length > named.length ? ` and ${others.length - named.length} more` : '';
  return [`make these networks anew with --opt com.docker.network.driver.mtu=${bytes}: ${named.join(', ')}${more}`];
}

function parseNetworks(text: string): { readonly name: string; readonly mtu: number | undefined }[] {
  try {
    return v.parse(NetworksSchema, JSON.parse(text)).flatMap(({ Name, Driver, Options }) => {
      const mtu = Options?.['com.docker.network.driver.mtu'];
      // Names go into sentences: the engine allows these characters only.
      return Driver === 'bridge' && /^[\w.-]{1,64}$/.test(Name) ? [{ name: Name, mtu: mtu === undefined ? undefined : Number(mtu) }] : [];
    });
  } catch {
    return [];
  }
}
