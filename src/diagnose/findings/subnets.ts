/** Pairs of IPv4 subnets of two lists that share addresses, as `172.18.0.0/16`. What cannot be read is passed over. */
export function overlapsOf(these: readonly string[], those: readonly string[]): { subnet: string; with: string }[] {
  return these.flatMap((subnet) => those.filter((other) => overlap(subnet, other)).map((other) => ({ subnet, with: other })));
}

function overlap(a: string, b: string): boolean {
  const [first, second] = [rangeOf(a), rangeOf(b)];
  return first !== undefined && second !== undefined && first.from <= second.to && second.from <= first.to;
}

function rangeOf(subnet: string): { from: number; to: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(subnet);
  const parts = match?.slice(1).map(Number);
  const prefix = parts?.[4] ?? 33;
  if (!parts || prefix > 32 || parts.slice(0, 4).some((part) => part > 255)) return undefined;
  const size = 2 ** (32 - prefix);
  const address = parts.slice(0, 4).reduce((sum, part) => sum * 256 + part, 0);
  const from = Math.floor(address / size) * size;
  return { from, to: from + size - 1 };
}
