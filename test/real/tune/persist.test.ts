import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Persisted } from '../../../src/tune/index.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import type { Namespace } from '../../lab/namespaces.js';
import { installed, run } from '../../lab/processes.js';

const skip = (await whyNoNamespaces()) ?? ((await installed('ethtool')) ? false : 'ethtool is missing (package ethtool)');
const SYSTEMD_SYSCTL = '/usr/lib/systemd/systemd-sysctl';
const noSystemd = existsSync(SYSTEMD_SYSCTL) && (await installed('systemd-analyze')) ? false : 'systemd is not installed';
const noProcps = (await installed('sysctl')) ? false : 'sysctl is missing (package procps)';
const noShellcheck = (await installed('shellcheck')) ? false : 'shellcheck is missing (package shellcheck)';
const noRunParts = (await installed('run-parts')) ? false : 'run-parts is missing (package debianutils)';
const PROGRAM = fileURLToPath(new URL('../../lab/script-program.js', import.meta.url));

const planned = (id: string, persist: readonly Persisted[], instance?: string): object => ({
  setting: { id },
  step: { persist, ...(instance === undefined ? {} : { instance }) },
});
const LOWAT = planned('net.ipv4.tcp_notsent_lowat', [{ by: 'sysctl', key: 'net.ipv4.tcp_notsent_lowat', value: '131072' }]);
const OFFLOADS = planned('offloads', [{ by: 'boot', commands: [`ethtool -K ${INTERFACE} gro on tso off`], interface: INTERFACE }], INTERFACE);
const GONE = planned('rings', [{ by: 'boot', commands: ['ethtool -G gone0 rx 1'], interface: 'gone0' }], 'gone0');
const FILE = planned('it writes', [{ by: 'boot', commands: ["cat > /mnt/written <<'END'\nit's $here\nEND", 'false', 'touch /mnt/not-reached'] }]);

/**
 * In a network namespace, where nothing of /etc is the machine's and no folder of sysctl.d has anything in it: what a real
 * reader would find there it would write, some of it for the whole machine.
 */
async function inside(near: Namespace, line: string): Promise<string> {
  const setup = `
    mount -t tmpfs t /mnt; mkdir /mnt/upper /mnt/work
    mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
    rm -rf /etc/sysctl.d /etc/sysctl.conf; mkdir /etc/sysctl.d
    mount -t tmpfs t /run; for folder in /usr/lib/sysctl.d /usr/local/lib; do mount -t tmpfs t $folder; done
    test -z "$(find /lib/sysctl.d/ /usr/local/lib/ -mindepth 1)"; cd /mnt
    LOWAT=/proc/sys/net/ipv4/tcp_notsent_lowat; standard=$(cat $LOWAT)
    persist() { '${process.execPath}' '${PROGRAM}' persist "$1" /mnt/j "$2" > /mnt/out; }
    listing() { find /etc -xdev -printf '%p %y %m %U:%G %l\\n' | sort; }
    undo() { '${process.execPath}' '${PROGRAM}' undo '[]' /mnt/j > /mnt/out; }`;
  const { code, stdout, stderr } = await run(near.inside(['unshare', '-m', '--propagation', 'private', 'bash', '-ec', `${setup}\n${line}`]), {
    timeoutMs: 120_000,
  });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

const q = (all: readonly object[]): string => `'${JSON.stringify(all).replaceAll("'", `'\\''`)}'`;

describe('what outlives a boot', { skip }, () => {
  for (const [init, reader, why] of [
    ['systemd', SYSTEMD_SYSCTL, noSystemd],
    ['other', 'sysctl --system', noProcps],
  ] as const) {
    test(`a kernel value stands after \`${reader.split('/').at(-1)}\` and the script, whatever other files set`, { skip: why }, async () => {
      await withPath(async ({ near }) => {
        const rivals = ['10-a.conf', '90-zz.conf', '99-z.conf', '99-zz-zz.conf', 'zz.conf', 'sysctl.conf', '99-sysctl.conf'];
        await inside(
          near,
          `mkdir -p /etc/network/if-up.d
           for rival in ${rivals.join(' ')}; do
             folder=/etc/sysctl.d; [ $rival != 90-zz.conf ] || folder=/usr/lib/sysctl.d
             case $rival in *sysctl.conf) echo 'net.ipv4.tcp_notsent_lowat = 77' > /etc/sysctl.conf ;; *) echo 'net.ipv4.tcp_notsent_lowat = 77' > $folder/$rival ;; esac
             [ $rival != 99-sysctl.conf ] || ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf
             listing > 0
             persist ${q([LOWAT])} ${init}
             ${reader} > /dev/null 2>&1; [ ! -e /etc/tautline/boot.sh ] || sh /etc/tautline/boot.sh
             grep -qx 131072 $LOWAT || { echo "$rival wins: $(cat $LOWAT)"; exit 9; }
             undo; listing | diff 0 - || exit 8
             ${reader} > /dev/null 2>&1
             case ${init}$rival in systemdsysctl.conf) ;; *) grep -qx 77 $LOWAT || { echo "$rival is not read: the test tests nothing"; exit 7; } ;; esac
             rm -f /etc/sysctl.d/* /usr/lib/sysctl.d/* /etc/sysctl.conf; echo "$standard" > $LOWAT
           done`,
        );
      });
    });
  }

  test('the script sets what can be set, tells the rest, may be run again, and is clean to shellcheck', async () => {
    await withPath(async ({ near }) => {
      await inside(
        near,
        `persist ${q([OFFLOADS, GONE, FILE, LOWAT])} systemd
         for time in 1 2; do
           sh /etc/tautline/boot.sh > log 2>&1 && exit 9
           test "$(grep -c '^tautline: not set: ' log)" -eq 2; grep -q 'not set: rings (gone0)' log; grep -q 'not set: it writes' log
           ethtool -k ${INTERFACE} | grep -qx 'generic-receive-offload: on'; ethtool -k ${INTERFACE} | grep -q 'tx-tcp-segmentation: off'
           grep -qxF "it's \\$here" written; test ! -e not-reached
         done
         ${noShellcheck === false ? 'shellcheck -s sh -S style /etc/tautline/boot.sh' : ':'}
         undo; test ! -e /etc/tautline; test ! -e /etc/systemd/system/tautline-tune.service; test -z "$(ls /etc/sysctl.d)"
         persist ${q([OFFLOADS])} systemd; sh /etc/tautline/boot.sh`,
      );
    });
  });

  test('systemd takes the unit, finds it enabled, and in the order that it asks for', { skip: noSystemd }, async () => {
    await withPath(async ({ near }) => {
      const stdout = await inside(
        near,
        `persist ${q([OFFLOADS, planned('x', [{ by: 'boot', commands: [':'], interface: 'wl-an0.1' }], 'wl-an0.1')])} systemd
         systemd-analyze verify --man=no /etc/systemd/system/tautline-tune.service
         systemctl --root=/ is-enabled tautline-tune.service
         systemd-escape --suffix=device sys-subsystem-net-devices-wl-an0.1 > /dev/null
         grep -o "$(systemd-escape -p --suffix=device /sys/subsystem/net/devices/wl-an0.1 | sed 's/\\\\/\\\\\\\\/g')" /etc/systemd/system/tautline-tune.service | sort -u
         systemctl --root=/ disable tautline-tune.service 2> /dev/null; test ! -e /etc/systemd/system/multi-user.target.wants/tautline-tune.service`,
      );
      assert.deepEqual(stdout.trim().split('\n'), ['enabled', 'sys-subsystem-net-devices-wl\\x2dan0.1.device']);
    });
  });

  test('ifupdown runs the hook by its name, for the interface that came up', { skip: noRunParts }, async () => {
    await withPath(async ({ near }) => {
      await inside(
        near,
        `rm -rf /etc/network; mkdir -p /etc/network/if-up.d; persist ${q([OFFLOADS])} other
         IFACE=lo run-parts /etc/network/if-up.d; ethtool -k ${INTERFACE} | grep -qx 'generic-receive-offload: off'
         IFACE=${INTERFACE} run-parts /etc/network/if-up.d; ethtool -k ${INTERFACE} | grep -qx 'generic-receive-offload: on'
         undo; test -z "$(ls /etc/network/if-up.d)"`,
      );
    });
  });
});
