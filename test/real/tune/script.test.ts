import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { INTERFACE, whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import type { Namespace } from '../../lab/namespaces.js';
import { installed, run } from '../../lab/processes.js';
import type { Finished } from '../../lab/processes.js';

const missing = await Promise.all(['ethtool', 'nft', 'unshare'].map(async (name) => ((await installed(name)) ? [] : [name])));
const skip = (await whyNoNamespaces()) ?? (missing.flat().length === 0 ? false : `${missing.flat().join(', ')} is missing`);
const noShellcheck = (await installed('shellcheck')) ? false : 'shellcheck is missing (package shellcheck)';
const noBusybox = (await installed('busybox')) ? false : 'busybox is missing (package busybox-static)';
const PROGRAM = fileURLToPath(new URL('../../lab/script-program.js', import.meta.url));

type Wish = readonly [object, unknown];
const kindOf = (place: object): unknown => ('kind' in place ? place.kind : undefined);
const value = (path: string, desired: string): Wish => [{ kind: 'kernel-value', path }, desired];
const file = (text: string, mode = 0o644): object => ({
  kind: 'file',
  bytesBase64: Buffer.from(text).toString('base64'),
  links: 1,
  mode,
  ownerId: 0,
  groupId: 0,
});
const entry = (path: string, desired: object): Wish => [{ kind: 'entry', path }, desired];

/** One of everything that can be changed here. */
const WISHES: readonly Wish[] = [
  value('/proc/sys/net/ipv4/tcp_notsent_lowat', '131072'),
  value('/proc/sys/net/ipv4/tcp_rmem', '4096 131072 16777216'),
  value(`/sys/class/net/${INTERFACE}/queues/rx-0/rps_cpus`, '1'),
  [
    { kind: 'offloads', interface: INTERFACE },
    { 'scatter-gather': false, 'generic-receive-offload': true },
  ],
  [
    { kind: 'channels', interface: 'q0' },
    { rx: 2, tx: 3 },
  ],
  [
    { kind: 'root-queue', interface: INTERFACE },
    { queue: 'pfifo_fast', byKernel: false },
  ],
  [
    { kind: 'nft-table', family: 'inet', name: 'tautline' },
    'table inet tautline {\n\tchain forward {\n\t\ttype filter hook forward priority -150; policy accept;\n\t}\n}',
  ],
  entry('/etc/lab/old.conf', file("it's $new\n'END_OF_FILE'\n", 0o600)),
  entry('/etc/lab/link', { kind: 'link', target: 'old.conf', ownerId: 0, groupId: 0 }),
  entry('/etc/lab/gone.conf', { kind: 'nothing' }),
  entry('/etc/lab/deep', { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 }),
  entry('/etc/lab/deep/new.sh', file('no line end', 0o755)),
];

/** Everything that these wishes could touch, as text. Times of what was written are not compared between two ways of writing it. */
const LOOK = `
look() {
  cat /proc/sys/net/ipv4/tcp_notsent_lowat /proc/sys/net/ipv4/tcp_rmem /proc/sys/net/ipv4/tcp_wmem /sys/class/net/${INTERFACE}/queues/rx-0/rps_cpus
  ethtool -k ${INTERFACE}; ethtool -l q0; tc qdisc show dev ${INTERFACE} | sed 's/ [0-9a-f]*: root/ root/'; nft list ruleset
  find /etc/lab -printf '%P %y %m %U:%G %l\\n' | sort; find /etc/lab -type f -exec md5sum {} + | sort
}
times() { find /etc/lab -type f -printf '%P %T@\\n' | sort; }
`;

/** In a network namespace with a mount namespace of its own, where /etc, /var/lib and /tmp are not the machine's. */
async function inside(near: Namespace, line: string): Promise<Finished> {
  const setup = `
    mount -t tmpfs t /mnt; mkdir /mnt/upper /mnt/work
    mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
    mount -t tmpfs t /var/lib; mount -t tmpfs t /run; cd /mnt
    ip link add q0 numtxqueues 4 numrxqueues 4 type veth peer name q1 numtxqueues 4 numrxqueues 4
    ethtool -K ${INTERFACE} tx-tcp-mangleid-segmentation off
    mkdir -p /etc/lab; printf 'old\\n' > /etc/lab/old.conf; printf 'x' > /etc/lab/gone.conf; chmod 640 /etc/lab/gone.conf; chown 12:34 /etc/lab/old.conf
    touch -d 2001-02-03T04:05:06.123456789 /etc/lab/old.conf /etc/lab/gone.conf
    node() { '${process.execPath}' '${PROGRAM}' "$@"; }
    ${LOOK}`;
  return await run(near.inside(['unshare', '-m', '--propagation', 'private', 'bash', '-ec', `${setup}\n${line}`]), { timeoutMs: 120_000 });
}

const q = (wishes: readonly Wish[]): string => `'${JSON.stringify(wishes).replaceAll("'", `'\\''`)}'`;

async function expectQuiet(near: Namespace, line: string): Promise<string> {
  const { code, stdout, stderr } = await inside(near, line);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

describe('a plan as a shell script', { skip }, () => {
  // Debian's busybox takes its own tc before the system's, which has no disciplines at the root; its cp -p keeps whole seconds.
  const withoutTc = WISHES.filter(([place]) => kindOf(place) !== 'root-queue');
  for (const [shell, wishes, keeps, why] of [
    ['sh', WISHES, 'cat', false],
    ['busybox sh', withoutTc, "sed 's/[.][0-9]*$//'", noBusybox],
  ] as const) {
    test(`does and undoes under ${shell} what the engine does and undoes`, { skip: why }, async () => {
      await withPath(async ({ near }) => {
        await expectQuiet(
          near,
          `look > 0; times > t0; node script ${q(wishes)} > s.sh
           ${shell} s.sh status | grep -qx 'not applied'
           ${shell} s.sh apply 2> log; look > 1; ${shell} s.sh status > st; test $(grep -c '^as applied: ' st) -eq ${wishes.length}
           test -d /var/lib/tautline-script/lab
           ${shell} s.sh apply 2> again && exit 9; grep -q 'applied already' again; look | diff - 1
           ${shell} s.sh undo 2>> log; look | diff 0 -; times | ${keeps} > t1; ${keeps} < t0 | diff - t1; test ! -e /var/lib/tautline-script
           ${shell} s.sh undo 2> again; grep -q 'nothing of this script' again
           times > t2; node apply ${q(wishes)} /mnt/j > applied; look | diff 1 -
           node undo '[]' /mnt/j > undone; look | diff 0 -; times | diff t2 -`,
        );
      });
    });
  }

  test('keeps what somebody else changed since, and puts back the rest; by force that too', async () => {
    await withPath(async ({ near }) => {
      await expectQuiet(
        near,
        `look > 0; node script ${q(WISHES)} > s.sh; sh s.sh apply 2> log
         echo 4242 > /proc/sys/net/ipv4/tcp_notsent_lowat; printf 'more\\n' | dd of=/etc/lab/old.conf conv=notrunc status=none
         sh s.sh status > st && exit 9; test $(grep -c '^changed since: ' st) -eq 2
         sh s.sh undo 2> log && exit 8; test $(grep -c 'it is kept' log) -eq 2
         grep -qx 4242 /proc/sys/net/ipv4/tcp_notsent_lowat; grep -qx more /etc/lab/old.conf
         ethtool -k ${INTERFACE} | grep -q '^scatter-gather: on'; test ! -e /etc/lab/deep
         sh s.sh undo --force 2> log; look | diff 0 -; test ! -e /var/lib/tautline-script`,
      );
    });
  });

  test('that cannot be done whole is not done at all', async () => {
    const tooMany: Wish = [{ kind: 'channels', interface: 'q0' }, { rx: 9 }];
    await withPath(async ({ near }) => {
      await expectQuiet(
        near,
        `look > 0; times > t0; node script ${q([...WISHES.filter(([place]) => kindOf(place) !== 'channels'), tooMany])} > s.sh
         sh s.sh apply 2> log && exit 9; grep -q 'everything is undone' log; look | diff 0 -; times | diff t0 -; test ! -e /var/lib/tautline-script
         sh s.sh wrong 2> log && exit 8; grep -q usage log
         setpriv --reuid 65534 --clear-groups env HOME=/nowhere sh s.sh apply 2> log && exit 7; grep -q 'as root' log; look | diff 0 -`,
      );
    });
  });

  test('killed wherever it has made sure of what it did, is undone to what there was', async () => {
    await withPath(async ({ near }) => {
      const stdout = await expectQuiet(
        near,
        `mkdir bin; printf '#!/bin/sh\\nn=$(cat /mnt/left); [ "$n" -gt 0 ] || exit 0; echo $((n - 1)) > /mnt/left; [ "$n" -gt 1 ] || kill -9 "$PPID"\\n' > bin/sync; chmod +x bin/sync
         look > 0; times > t0; node script ${q(WISHES)} > s.sh
         for k in $(seq 1 40); do
           echo "$k" > left; killed=0
           PATH="/mnt/bin:$PATH" sh s.sh apply 2> log || killed=$?
           echo 0 > left; sh s.sh undo 2>> log; look | diff 0 -; times | diff t0 -
           rm -rf /var/lib/tautline-script
           [ "$killed" -eq 137 ] || break
         done
         echo "$k $killed"`,
      );
      // Once for all originals, once for each step, once at the end.
      assert.equal(stdout.trim().split('\n').at(-1), `${WISHES.length + 3} 0`);
    });
  });

  test('is clean to shellcheck', { skip: noShellcheck }, async () => {
    await withPath(async ({ near }) => {
      await expectQuiet(near, `node script ${q(WISHES)} > s.sh; shellcheck -s sh -S style s.sh; sh -n s.sh`);
    });
  });
});
