import { shellWord } from '../../base/index.js';
import { MARK } from './own-files.js';

export const BOOT_SCRIPT = '/etc/tautline/boot.sh';
export const UNIT_NAME = 'tautline-tune.service';
export const UNIT = `/etc/systemd/system/${UNIT_NAME}`;
export const UNIT_LINK = `/etc/systemd/system/multi-user.target.wants/${UNIT_NAME}`;
export const IFUP_HOOK = '/etc/network/if-up.d/tautline';
export const OPENRC_HOOK = '/etc/local.d/tautline.start';
export const DAEMON_LABEL = 'net.tautline.tune';
export const DAEMON = `/Library/LaunchDaemons/${DAEMON_LABEL}.plist`;
export const DAEMON_SCRIPT = '/Library/Application Support/Tautline/boot.sh';

/**
 * Run once at boot, after the kernel settings of files and after whatever configures the network has begun: systemd's own
 * .link files are applied by udev before an interface's device unit is there. Its processes stay (a process may hold
 * /dev/cpu_dma_latency) until it is stopped.
 */
export function unitText(interfaces: readonly string[]): string {
  const devices = interfaces.map((name) => `sys-subsystem-net-devices-${unitEscaped(name)}.device`);
  return [
    `# ${MARK}. \`tautline tune rollback\` takes it away again; by hand: systemctl disable --now ${UNIT_NAME}`,
    '[Unit]',
    'Description=Network settings that no file of the system can hold (Tautline)',
    'Documentation=man:ethtool(8) man:tc(8)',
    `ConditionPathExists=${BOOT_SCRIPT}`,
    `After=${['sysinit.target', 'systemd-sysctl.service', 'network-pre.target', 'network.target', ...devices].join(' ')}`,
    ...(devices.length === 0 ? [] : [`Wants=${devices.join(' ')}`]),
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/bin/sh ${BOOT_SCRIPT}`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** Of a name as a part of a unit's name (systemd.unit(5), "String escaping for inclusion in unit names"). */
function unitEscaped(name: string): string {
  return [...new TextEncoder().encode(name)]
    .map((byte, at) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9:_]/.test(char) || (char === '.' && at > 0) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** Run by ifupdown whenever an interface has come up, with its name in IFACE (interfaces(5)); `lo` comes up at every boot. */
export function ifupText(interfaces: readonly string[]): string {
  const names = interfaces.length === 0 ? ['lo'] : interfaces;
  return [
    '#!/bin/sh',
    `# ${MARK}. \`tautline tune rollback\` takes it away again; by hand: remove it.`,
    'case "$IFACE" in',
    `  ${names.map(shellWord).join(' | ')}) exec /bin/sh ${BOOT_SCRIPT} ;;`,
    'esac',
    'exit 0',
    '',
  ].join('\n');
}

/** Run by OpenRC's service `local`. */
export function openrcText(): string {
  return ['#!/bin/sh', `# ${MARK}. \`tautline tune rollback\` takes it away again; by hand: remove it.`, `exec /bin/sh ${BOOT_SCRIPT}`, ''].join(
    '\n',
  );
}

/** Started by launchd at boot; launchd takes only files that root owns and nobody else may write (launchd.plist(5)). */
export function daemonText(): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<!-- ${MARK}. "tautline tune rollback" takes it away again; by hand: sudo launchctl bootout system/${DAEMON_LABEL}, then remove this file. -->`,
    '<plist version="1.0">',
    '<dict>',
    '\t<key>Label</key>',
    `\t<string>${DAEMON_LABEL}</string>`,
    '\t<key>ProgramArguments</key>',
    '\t<array>',
    '\t\t<string>/bin/sh</string>',
    `\t\t<string>${DAEMON_SCRIPT}</string>`,
    '\t</array>',
    '\t<key>RunAtLoad</key>',
    '\t<true/>',
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}
