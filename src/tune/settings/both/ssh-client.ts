import type { HostView, Setting, Source, Step } from '../../setting.js';
import { putBlock, removeBlock } from '../../text/marked-block.js';
import { changesToText, isLook, lookAtFile, missingFolders } from '../file-look.js';
import { ownedByUser, whyOutsideHome } from '../home.js';
import { changeFiles, notDone } from '../steps.js';
import { deciding, readSshLines } from './ssh-config-text.js';

interface Wanted {
  readonly hosts: readonly string[];
  /** As ControlPersist takes it: `10m`, `600`, `yes`. */
  readonly persist: string;
  readonly compression: boolean;
}

const SSH_CONFIG: Source = { title: 'ssh_config(5)', url: 'https://man.openbsd.org/ssh_config' };
const SSH: Source = { title: 'ssh(1), option -C', url: 'https://man.openbsd.org/ssh' };
const PERSIST = '10m';
const SOCKETS = '.ssh/sockets';
/** SHA-1 of host, user and port in hexadecimal: always as long, whatever the names are. */
const TOKEN = '%C';
const TOKEN_CHARS = 40;
/** While it listens for the first time, ssh binds a name with a dot and 16 random characters behind it (mux.c, muxserver_listen). */
const TEMPORARY_CHARS = 17;
/** Of sun_path, less the zero that ends it: 108 in Linux (unix(7)), 104 in macOS (sys/un.h). */
const PATH_CHARS_MAX = { linux: 107, macos: 103 } as const;

/** One connection to a host is used by all later ones. */
export const sshClient: Setting<Wanted> = {
  id: 'ssh-client',
  title: 'SSH connections share one connection',
  platforms: ['linux', 'macos'],
  effect: 'measurable',
  scope: 'user',
  group: 'ssh',
  needs: { root: false },
  sources: [SSH_CONFIG, SSH],
  why: 'A second connection to a host goes through the first one, and saves the round trips and the work of setting one up (often 100 to 500 ms). It moves no byte faster, and bulk transfers share one window.',
  takes: "how long an idle connection is kept, such as 10m, or a mapping of `hosts` (patterns, default '*'), `persist` and `compression`",
  parse,
  write: ({ hosts, persist }) => (hosts.join(' ') === '*' ? persist : `${persist} for ${hosts.join(' ')}`),
  async plan(view, wanted) {
    const steps = [await planBlock(view, wanted)];
    if (wanted.compression) {
      const why =
        'compression only slows down on fast networks (ssh(1)): it costs more time than it saves above some Mbit/s, and what is compressed already gets no smaller; CompressionLevel is gone with protocol 1. For a slow line ask for it once: ssh -C';
      steps.push(notDone('no-effect', why, { instance: 'compression', proposed: 'Compression yes' }));
    }
    return steps;
  },
};

function parse(value: unknown): { readonly value: Wanted } | { readonly problem: string } {
  const given =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : { persist: value === true ? PERSIST : value };
  const unknown = Object.keys(given).find((key) => !['hosts', 'persist', 'compression'].includes(key));
  if (unknown !== undefined) return { problem: `there is no '${unknown}' in it` };
  const persist = String(given['persist'] ?? PERSIST);
  // sshd_config(5), TIME FORMATS.
  if (!/^(?:yes|(?:\d{1,9}[sSmMhHdDwW]?)+)$/.test(persist)) return { problem: `'${persist}' is no time that ssh takes, such as 10m or 600` };
  const hosts = given['hosts'] ?? ['*'];
  if (
    !Array.isArray(hosts) ||
    hosts.length === 0 ||
    !hosts.every((host): host is string => typeof host === 'string' && /^!?[\w.*?:@-]{1,255}$/.test(host))
  ) {
    return { problem: 'hosts is a list of patterns of names, such as beta* or *.lan' };
  }
  return { value: { hosts, persist, compression: given['compression'] === true } };
}

async function planBlock(view: HostView, { hosts, persist }: Wanted): Promise<Step> {
  const { control, files } = view.ports;
  const home = view.homeFolder.replace(/\/$/, '');
  const proposed = `ControlMaster auto, ControlPersist ${persist} for ${hosts.join(' ')}`;
  const tooLong = whyTooLong(view, home);
  if (tooLong !== undefined) return notDone('not-applicable', tooLong, { proposed });
  for (const path of [`${home}/.ssh/config`, `${home}/${SOCKETS}`]) {
    const outside = await whyOutsideHome(view, path);
    if (outside !== undefined) return notDone('not-applicable', outside, { proposed });
  }
  const look = await lookAtFile(control, `${home}/.ssh/config`);
  if (!isLook(look)) return { ...look, proposed };
  if (look.original.kind === 'file' && (look.original.mode & 0o022) !== 0) {
    return notDone(
      'not-applicable',
      `ssh refuses ${look.path}, as others may write to it (mode ${look.original.mode.toString(8)}): chmod 600 ${look.path}`,
      { proposed },
    );
  }
  const text = look.text ?? '';
  const without = removeBlock(text);
  if ('problem' in without) return notDone('bad-value', `${look.path}, ${without.problem}: put them right by hand`, { proposed });
  const lines = await readSshLines(files, { path: look.path, text: without.text, folder: `${home}/.ssh`, home });
  if ('problem' in lines) return notDone('bad-value', `ssh does not read this configuration (${lines.problem}): it is left alone`, { proposed });
  const own = deciding(lines, 'controlmaster', hosts);
  if (own)
    return notDone('managed', `${own.file}:${own.line} sets ControlMaster ${own.value} for these hosts, and ssh takes the first value`, {
      now: own.value,
      proposed,
    });
  const sockets = await socketsFolder(view, `${home}/${SOCKETS}`);
  if ('verdict' in sockets) return { ...sockets, proposed };
  // Quoted for a folder with spaces in its name; a per cent sign would be a token.
  const path = `~/${SOCKETS}/${TOKEN}`;
  const edit = putBlock(text, [`Host ${hosts.join(' ')}`, '    ControlMaster auto', `    ControlPath ${path}`, `    ControlPersist ${persist}`]);
  if ('problem' in edit) return notDone('bad-value', `${look.path}, ${edit.problem}`, { proposed });
  if (edit.text === text && sockets.changes.length === 0) return notDone('already', 'our block is there with these values', { proposed });
  const made = await ownedByUser(view, { mode: 0o600, folderMode: 0o700 });
  const config = edit.text === text ? [] : await changesToText(control, look, edit.text, made);
  // The folder ~/.ssh may be missing for both.
  const folders = sockets.changes.filter(
    ({ place }) => !config.some((change) => change.place.kind === 'entry' && place.kind === 'entry' && change.place.path === place.path),
  );
  const specific = lines.filter(({ keyword }) => keyword === 'controlmaster');
  return changeFiles({
    now: without.text !== text ? 'our block, with other values' : 'each connection is set up anew',
    proposed,
    why: sshClient.why,
    changes: [...config.slice(0, -1), ...folders, ...config.slice(-1)],
    notes: [
      'the block stands at the end of the file: ssh takes the first value that it finds, so your own settings win',
      ...specific.map(({ file, line, value }) => `${file}:${line} keeps ControlMaster ${value} for its hosts`),
      ...lines
        .filter(({ keyword }) => keyword === 'compressionlevel')
        .map(({ file, line }) => `${file}:${line}: CompressionLevel is gone from OpenSSH and does nothing`),
    ],
  });
}

async function socketsFolder(
  view: HostView,
  path: string,
): Promise<{ readonly changes: Awaited<ReturnType<typeof missingFolders>> } | ReturnType<typeof notDone>> {
  const { control } = view.ports;
  const real = await control.realPath(path);
  const there = await control.readEntry(real);
  const made = await ownedByUser(view, { mode: 0o600, folderMode: 0o700 });
  if (!there) return { changes: await missingFolders(control, real, made) };
  if (there.kind !== 'folder') return notDone('not-applicable', `${real} is no folder: the sockets of shared connections would lie in it`);
  if ((there.mode & 0o022) !== 0) {
    return notDone(
      'not-applicable',
      `others may write to ${real} (mode ${there.mode.toString(8)}) and could take over connections: chmod 700 ${real}`,
    );
  }
  return { changes: [] };
}

function whyTooLong(view: HostView, home: string): string | undefined {
  const bytes = new TextEncoder().encode(`${home}/${SOCKETS}/`).length + TOKEN_CHARS + TEMPORARY_CHARS;
  const max = PATH_CHARS_MAX[view.platform];
  if (bytes <= max) return undefined;
  return `the sockets would have names of ${bytes} bytes below ${home}, and this system takes ${max}: set ControlPath to a shorter folder by hand, such as /run/user/UID/%C`;
}
