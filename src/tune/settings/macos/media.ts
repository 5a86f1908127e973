import { readMedia, showMedia } from '../../places/macos-media.js';
import { networksetup } from '../../places/macos-program.js';
import { placeHolds, readPlace } from '../../places/registry.js';
import type { PlaceStates } from '../../place.js';
import type { HostView, Setting, Source, Step } from '../../setting.js';
import { notDone, STAYS } from '../steps.js';
import { readService } from './service.js';

interface Wanted {
  readonly service: string;
  readonly media: PlaceStates['macos-media'];
}

const NETWORKSETUP: Source = {
  title: 'networksetup(8), -setMedia',
  url: 'https://support.apple.com/guide/remote-desktop/about-networksetup-apdd0c5a2d5/mac',
};

/** The media of a network service, as a profile names them. */
export const macosMedia: Setting<Wanted> = {
  id: 'macos-media',
  title: 'Media of a network service',
  platforms: ['macos'],
  effect: 'risky',
  scope: 'interface',
  group: 'link',
  needs: { root: true },
  sources: [NETWORKSETUP],
  why: 'Autoselect takes the fastest mode that both ends and the cable can do. A forced mode makes no slow link fast: where the other end cannot do it, the link goes down.',
  takes: 'a mapping of `service` and `media`, such as { service: Ethernet, media: "10Gbase-T <full-duplex>" }',
  parse(value) {
    const read = readService(value, ['media']);
    if ('problem' in read) return read;
    const media = typeof read.more['media'] === 'string' ? readMedia(read.more['media']) : undefined;
    return media
      ? { value: { service: read.service, media } }
      : { problem: 'media as networksetup writes them are expected: autoselect, or 10Gbase-T <full-duplex>' };
  },
  write: ({ service, media }) => `${showMedia(media)} for ${service}`,
  plan: async (view, wanted) => [await planMedia(view, wanted)],
};

async function planMedia(view: HostView, { service, media }: Wanted): Promise<Step> {
  const place = { kind: 'macos-media', service } as const;
  const shown = { instance: service, proposed: showMedia(media) };
  const now = await readPlace(view.ports, place);
  if (!now) return notDone('absent', `there is no network service '${service}' with media: networksetup -listallnetworkservices shows them`, shown);
  const both = { ...shown, now: showMedia(now) };
  if (placeHolds(place, now, media)) return notDone('already', `it is ${showMedia(now)} already`, both);
  const valid = await networksetup(view.ports, ['-listvalidmedia', service], `the media that ${service} can do cannot be read`);
  if (valid !== undefined && !offers(valid, media))
    return notDone('absent', `${service} cannot do ${showMedia(media)}: networksetup -listvalidmedia '${service}' shows what it can`, both);
  const forced = media.media.toLowerCase() !== 'autoselect';
  return {
    verdict: 'change',
    ...both,
    why: macosMedia.why,
    changes: [{ place, original: now, desired: media }],
    persist: STAYS,
    notes: forced ? ['the link goes down where the other end cannot do it: apply it with --confirm-within when you are connected through it'] : [],
  };
}

/** Lines such as `10Gbase-T <full-duplex>`. */
function offers(valid: string, media: PlaceStates['macos-media']): boolean {
  return valid.split('\n').some((line) => {
    const mode = readMedia(line.trim());
    return (
      mode !== undefined && mode.media.toLowerCase() === media.media.toLowerCase() && media.options.every((option) => mode.options.includes(option))
    );
  });
}
