/** A typed array that doubles as it fills, up to a limit. */
export class GrowingDoubles {
  #values: Float64Array<ArrayBuffer>;
  length = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(Math.max(16, capacity));
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const more = new Float64Array(this.#values.length * 2);
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[this.length++] = value;
  }

  at(i: number): number {
    return this.#values[i] ?? Number.NaN;
  }

  /** A copy of exactly what is filled. */
  taken(): Float64Array<ArrayBuffer> {
    return this.#values.slice(0, this.length);
  }
}
