import type { HostControl, Ports } from '../base/index.js';

/** What planning, applying and undoing may touch. */
export interface TunePorts extends Pick<Ports, 'clock' | 'files' | 'commands' | 'facts' | 'web' | 'log'> {
  readonly control: HostControl;
}
