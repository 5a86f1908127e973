/** Profile values that name a network service of macOS and something about it. */
export function readService(
  value: unknown,
  keys: readonly string[],
): { readonly service: string; readonly more: Readonly<Record<string, unknown>> } | { readonly problem: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: `a mapping of service and ${keys.join(', ')} is expected` };
  const { service, ...more } = value as Record<string, unknown>;
  const unknown = Object.keys(more).find((key) => !keys.includes(key));
  if (unknown !== undefined) return { problem: `there is no '${unknown}' in it` };
  // A name with a hyphen first would be taken for an option.
  if (typeof service !== 'string' || !/^[^-\p{Cc}\p{Cf}][^\p{Cc}\p{Cf}]{0,127}$/u.test(service))
    return { problem: 'the service is the name of a network service, such as Ethernet' };
  return { service, more };
}
