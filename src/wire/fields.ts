/** Typed access to an object from a peer. The first field that is not as it must be is kept in `wrong`; then anything returned is void. */
export class Fields {
  readonly #object: Record<string, unknown>;
  readonly #parent: Fields | undefined;
  #wrong: string | undefined;

  constructor(object: Record<string, unknown>, parent?: Fields) {
    this.#object = object;
    this.#parent = parent;
  }

  get wrong(): string | undefined {
    return this.#wrong;
  }

  fail(name: string): void {
    this.#wrong ??= name;
    this.#parent?.fail(name);
  }

  optional<T>(name: string, read: () => T): T | undefined {
    return this.#own(name) === undefined ? undefined : read();
  }

  text(name: string, lengthMax: number): string | undefined {
    const value = this.#own(name);
    return typeof value === 'string' && value.length <= lengthMax ? value : undefined;
  }

  string(name: string, lengthMax: number): string {
    return this.text(name, lengthMax) ?? this.#bad(name, '');
  }

  hex(name: string, bytes: number): string {
    const value = this.text(name, 2 * bytes) ?? '';
    return value.length === 2 * bytes && /^[0-9a-f]*$/.test(value) ? value : this.#bad(name, '');
  }

  /** A proof of the key, or nothing where no key is asked for. */
  mac(name: string): string {
    return this.#own(name) === '' ? '' : this.hex(name, 32);
  }

  flag(name: string): boolean {
    const value = this.#own(name);
    return typeof value === 'boolean' ? value : this.#bad(name, false);
  }

  number(name: string, min: number, max: number): number {
    const value = this.#own(name);
    return typeof value === 'number' && value >= min && value <= max ? value : this.#bad(name, min);
  }

  whole(name: string, min: number, max: number): number {
    const value = this.number(name, min, max);
    return Number.isInteger(value) ? value : this.#bad(name, min);
  }

  oneOf<const T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#own(name);
    return choices.find((choice) => choice === value) ?? this.#bad(name, choices[0] as T);
  }

  object(name: string): Fields {
    const value = this.#own(name);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Fields(value as Record<string, unknown>, this);
    return this.#bad(name, new Fields({}));
  }

  objects(name: string, lengthMax: number): Fields[] {
    return this.list(name, lengthMax, (item) =>
      typeof item === 'object' && item !== null && !Array.isArray(item) ? new Fields(item as Record<string, unknown>, this) : undefined,
    );
  }

  list<T>(name: string, lengthMax: number, read: (item: unknown) => T | undefined): T[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > lengthMax) return this.#bad(name, []);
    const items: T[] = [];
    for (const entry of value) {
      const item = read(entry);
      if (item === undefined) return this.#bad(name, []);
      items.push(item);
    }
    return items;
  }

  /** An object whose keys are not known beforehand: names of lower-case words, at most `sizeMax` of them. */
  record<T>(name: string, sizeMax: number, read: (item: unknown) => T | undefined): Record<string, T> {
    const value = this.#own(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#bad(name, {});
    const entries = Object.entries(value);
    if (entries.length > sizeMax) return this.#bad(name, {});
    const record: Record<string, T> = {};
    for (const [key, entry] of entries) {
      const item = read(entry);
      // `__proto__` and its like would change the object instead of being in it.
      if (item === undefined || !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(key)) return this.#bad(name, {});
      record[key] = item;
    }
    return record;
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  #bad<T>(name: string, instead: T): T {
    this.fail(name);
    return instead;
  }
}
