/** One file, folder or link of an archive; folders come before what is in them. */
export interface ArchiveEntry {
  readonly path: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
}

const FILE = 0o100000;
const FOLDER = 0o040000;

export const archiveFile = (path: string, bytes: Uint8Array | string, permissions = 0o644): ArchiveEntry => ({
  path,
  mode: FILE | permissions,
  bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
});
export const archiveFolder = (path: string): ArchiveEntry => ({ path, mode: FOLDER | 0o755 });

/** An archive that a kernel unpacks as its first root (Documentation/driver-api/early-userspace/buffer-format.rst, "newc"). */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries, { path: 'TRAILER!!!', mode: 0 }].flatMap((entry, at) => record(entry, at + 1)));
}

function record({ path, mode, bytes = new Uint8Array() }: ArchiveEntry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device major and minor, special device major and minor, length of the name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.concat([Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`), name]);
  return [padded(header), padded(bytes)];
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
