import type { TunePorts } from '../ports.js';

/** Reads that say `undefined` for whatever cannot be read: who else manages a host is worth knowing, never worth failing for. */
export interface QuietFiles {
  text(path: string): Promise<string | undefined>;
  list(folder: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  isFolder(path: string): Promise<boolean>;
}

export function quietFiles({ files }: Pick<TunePorts, 'files'>): QuietFiles {
  return {
    text: (path) => files.readText(path).catch(() => undefined),
    list: async (folder) => (await files.list(folder).catch(() => undefined)) ?? [],
    exists: async (path) => (await files.status(path).catch(() => undefined)) !== undefined,
    isFolder: async (path) => (await files.status(path, { follow: true }).catch(() => undefined))?.kind === 'folder',
  };
}
