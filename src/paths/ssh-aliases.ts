/** A name that `ssh` knows a host by. */
export interface SshAlias {
  readonly alias: string;
  /** As written; undefined where the block says nothing of it, and then the alias itself is the host's name. */
  readonly hostName?: string;
}

export interface SshConfigText {
  readonly aliases: readonly SshAlias[];
  /** Files to read too, as written. */
  readonly includes: readonly string[];
}

/** Nobody's own configuration is longer; a generated one is read so far. */
const LINES_MAX = 20_000;

/**
 * Reads the names out of an ssh configuration (ssh_config(5)): those on `Host` lines that are no patterns. What
 * applies to them is asked of ssh itself, which knows patterns, `Match` and defaults.
 */
export function readSshAliases(text: string): SshConfigText {
  const aliases: { alias: string; hostName?: string }[] = [];
  const includes: string[] = [];
  let block: { alias: string; hostName?: string }[] = [];
  for (const line of text.split(/\r?\n/, LINES_MAX)) {
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const words = wordsOf(rest);
    switch (keyword.toLowerCase()) {
      case 'host':
        block = words.filter((word) => /^[^*?!]+$/.test(word)).map((alias) => ({ alias }));
        aliases.push(...block);
        break;
      case 'match':
        block = [];
        break;
      case 'include':
        includes.push(...words);
        break;
      case 'hostname':
        for (const entry of block) entry.hostName ??= (words[0] ?? '').replaceAll('%h', entry.alias);
        break;
    }
  }
  return { aliases, includes };
}

/** Whether an alias is a peer's by its name: `beta`, `beta-vps`. */
export function isAliasOf(alias: string, peer: string): boolean {
  const [a, p] = [alias.toLowerCase(), peer.toLowerCase()];
  return a === p || a.startsWith(`${p}-`);
}

/** Words apart by spaces, or within double quotes; a `#` begins a comment. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/"([^"]*)"|([^\s"]+)/g)) {
    if (plain?.startsWith('#')) break;
    words.push(quoted ?? plain ?? '');
  }
  return words.filter((word) => word !== '');
}
