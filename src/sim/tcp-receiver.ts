/** Bytes that travel: real ones, or `length` zeros that nobody had to make. */
export interface Chunk {
  readonly length: number;
  readonly bytes: Uint8Array | undefined;
  /** What a simulated program says with these bytes, instead of writing and parsing them; it arrives with the last one. */
  readonly note?: unknown;
}

export interface Segment {
  readonly offset: number;
  readonly chunk: Chunk;
  /** The sender ends its direction after this. */
  readonly fin: boolean;
}

/** The receiving half of a direction: puts segments in order and keeps them until they are read. */
export class TcpReceiver {
  /** Called when there is something new to read, or the end. */
  onReadable: (() => void) | undefined;
  /** Takes bytes as they come instead of keeping them. */
  consumer: ((chunk: Chunk) => void) | undefined;
  ended = false;
  readonly #bufferBytes: number;
  readonly #early = new Map<number, Segment>();
  #next = 0;
  #unread: Chunk[] = [];
  #unreadBytes = 0;

  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /** How far the sender may go. */
  get allowedOffset(): number {
    return this.#next + Math.max(0, this.#bufferBytes - this.#unreadBytes);
  }

  /** Everything before this has arrived. */
  get nextOffset(): number {
    return this.#next;
  }

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  take(segment: Segment): void {
    if (segment.offset < this.#next || this.ended || this.#early.has(segment.offset)) return;
    if (segment.offset > this.#next) {
      this.#early.set(segment.offset, segment);
      return;
    }
    for (let current: Segment | undefined = segment; current;) {
      this.#inOrder(current);
      current = this.#early.get(this.#next);
      if (!current || this.ended) break;
      this.#early.delete(this.#next);
    }
    this.onReadable?.();
  }

  /** The oldest unread chunk. */
  read(): Chunk | undefined {
    const chunk = this.#unread.shift();
    if (chunk) this.#unreadBytes -= chunk.length;
    return chunk;
  }

  /** Puts back what was not used of the chunk that was just read. */
  unread(chunk: Chunk): void {
    this.#unread.unshift(chunk);
    this.#unreadBytes += chunk.length;
  }

  /** Hands everything that waits, and from now on everything that comes, to `consumer`. */
  consume(consumer: ((chunk: Chunk) => void) | undefined): void {
    this.consumer = consumer;
    if (!consumer) return;
    for (let chunk = this.read(); chunk; chunk = this.read()) consumer(chunk);
  }

  #inOrder(segment: Segment): void {
    // The end takes one place in the sequence, as in TCP.
    this.#next = segment.offset + segment.chunk.length + (segment.fin ? 1 : 0);
    if (segment.fin) this.ended = true;
    if (segment.chunk.length === 0) return;
    if (this.consumer) this.consumer(segment.chunk);
    else {
      this.#unread.push(segment.chunk);
      this.#unreadBytes += segment.chunk.length;
    }
  }
}
