import { shellWord } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import { networksetup } from './macos-program.js';

type State = PlaceStates['macos-media'];

/** The media of a network service: `autoselect`, or a link mode that is forced. */
export const macosMediaPlace: Place<'macos-media'> = {
  kind: 'macos-media',
  async read(ports, { service }) {
    const text = await networksetup(ports, ['-getMedia', service], `the media of ${service} cannot be read`);
    return text === undefined ? undefined : parseMedia(text);
  },
  async write(ports, { service }, { media, options }) {
    await networksetup(ports, ['-setMedia', service, media, ...options], `the media of ${service} cannot be set`);
  },
  holds: (state, meant) => same(state.media, meant.media) && same(state.options.toSorted().join(), meant.options.toSorted().join()),
  label: ({ service }) => `media of ${service}`,
  show: showMedia,
  commands: ({ service }, { media, options }) => [['networksetup', '-setMedia', service, media, ...options].map(shellWord).join(' ')],
  // It is kept in the system's configuration.
  reach: () => 'disk',
};

/** `Current: 10Gbase-T <full-duplex,flow-control>`, beside what is active. */
export function parseMedia(text: string): State | undefined {
  const [, media, options = ''] = /^Current: (\S+)(?: <([^>]*)>)?/m.exec(text) ?? [];
  return media === undefined ? undefined : { media, options: words(options) };
}

/** As networksetup writes it: `10Gbase-T <full-duplex>`. */
export function readMedia(text: string): State | undefined {
  const [, media, options = ''] = /^(\w[\w/-]*)(?:\s*<([\w,\s-]*)>)?$/.exec(text.trim()) ?? [];
  return media === undefined ? undefined : { media, options: words(options) };
}

export function showMedia({ media, options }: State): string {
  return options.length === 0 ? media : `${media} <${options.join(',')}>`;
}

function words(options: string): string[] {
  return options.split(/[\s,]+/).filter((word) => word !== '');
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
