import type { Setting } from '../setting.js';
import { dockerMtu } from './both/docker-mtu.js';
import { dockerUlimits } from './both/docker-ulimits.js';
import { sshClient } from './both/ssh-client.js';
import { tailscaleAcceptRoutes, tailscaleDirect, tailscaleExitNode } from './both/tailscale.js';
import { fileLimits } from './linux/file-limits.js';
import { mssClamp } from './linux/mss-clamp.js';
import { resolver } from './linux/resolver.js';
import { udpGroForwarding } from './linux/udp-gro-forwarding.js';
import { unneededKeys } from './linux/unneeded-keys.js';
import { macosAddress } from './macos/address.js';
import { macosMedia } from './macos/media.js';
import { MACOS_SYSCTL_SETTINGS } from './macos/sysctls.js';
import { NOT_SETTING_SETTINGS } from './not-settings.js';

/** Settings of services and of macOS, and what is no setting. */
export const SERVICE_SETTINGS: readonly Setting[] = [
  fileLimits,
  resolver,
  sshClient,
  dockerMtu,
  dockerUlimits,
  mssClamp,
  tailscaleAcceptRoutes,
  tailscaleExitNode,
  tailscaleDirect,
  udpGroForwarding,
  unneededKeys,
  ...MACOS_SYSCTL_SETTINGS,
  macosMedia,
  macosAddress,
  ...NOT_SETTING_SETTINGS,
];
