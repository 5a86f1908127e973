import type { LinkFacts } from '../../base/index.js';
import { memory } from '../libc/index.js';
import type { Libc } from '../libc/index.js';
import {
  BLOCKS_MAX,
  blocksOf,
  DRIVER_INFO_BYTES,
  GCHANNELS,
  GCOALESCE,
  GDRVINFO,
  GFEATURES,
  GRINGPARAM,
  NUMBERS_BYTES,
  SIOCETHTOOL,
  decodeChannels,
  decodeCoalescing,
  decodeDriverInfo,
  decodeKernelFeatureBlocks,
  decodeFeatureCount,
  decodeLinkSettings,
  decodeRings,
  encodeCommand,
  encodeFeatureCount,
  encodeFeatureNames,
  encodeIfreq,
  encodeLinkSettings,
  wordsWanted,
} from './ethtool-ioctl.js';
import { featuresByName } from './features.js';

/** Commands by ioctl, over a socket that its owner closes. What a driver does not have is left out. */
export class EthtoolIoctl {
  readonly #libc: Libc;
  readonly #fd: number;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  driver(name: string): Partial<LinkFacts> {
    const info = encodeCommand(DRIVER_INFO_BYTES, GDRVINFO);
    return this.#run(name, info) ? decodeDriverInfo(info) : {};
  }

  all(name: string): Partial<LinkFacts> {
    const numbers = (command: number, decode: (bytes: Uint8Array) => Partial<LinkFacts>): Partial<LinkFacts> => {
      const bytes = encodeCommand(NUMBERS_BYTES, command);
      return this.#run(name, bytes) ? decode(bytes) : {};
    };
    return {
      ...this.#settings(name),
      ...this.#features(name),
      ...numbers(GRINGPARAM, decodeRings),
      ...numbers(GCHANNELS, decodeChannels),
      ...numbers(GCOALESCE, decodeCoalescing),
    };
  }

  #settings(name: string): Partial<LinkFacts> {
    const size = encodeLinkSettings(0);
    const words = this.#run(name, size) ? wordsWanted(size) : 0;
    if (words === 0) return {};
    const settings = encodeLinkSettings(words);
    return this.#run(name, settings) ? decodeLinkSettings(settings) : {};
  }

  /** Features by the kernel's names, and how many blocks of them there are; none where it does not tell. */
  kernelFeatures(name: string): { readonly features: ReturnType<typeof decodeKernelFeatureBlocks>; readonly blocks: number } {
    const nothing = { features: [], blocks: 0 };
    const sets = encodeFeatureCount();
    const count = this.#run(name, sets) ? decodeFeatureCount(sets) : 0;
    if (count === 0) return nothing;
    const names = encodeFeatureNames(count);
    const blocks = encodeCommand(8 + 16 * BLOCKS_MAX, GFEATURES, BLOCKS_MAX);
    if (!this.#run(name, names) || !this.#run(name, blocks)) return nothing;
    return { features: decodeKernelFeatureBlocks(names, blocks), blocks: blocksOf(blocks) };
  }

  #features(name: string): Partial<LinkFacts> {
    const { features: found } = this.kernelFeatures(name);
    return found.length === 0 ? {} : { features: featuresByName(found) };
  }

  /** Gives the driver a command, which it fills in. @returns what the kernel answers, negative when it refuses (`errno` says why) */
  give(name: string, command: Uint8Array<ArrayBuffer>): number {
    const request = memory(40);
    request.set(encodeIfreq(name, this.#libc.address(command)));
    return this.#libc.ioctl(this.#fd, SIOCETHTOOL, request);
  }

  #run(name: string, command: Uint8Array<ArrayBuffer>): boolean {
    return this.give(name, command) === 0;
  }
}
