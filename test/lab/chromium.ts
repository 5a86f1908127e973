import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { installed } from './processes.js';

/** Why no browser can be run here, or undefined when one can. */
export async function whyNoChromium(): Promise<string | undefined> {
  if (!(await installed('chromium'))) return 'chromium is missing (package chromium)';
  if (process.getuid?.() !== 0) return 'chromium is run in a network of its own, which needs root';
  return (await installed('unshare')) ? undefined : 'unshare is missing (package util-linux)';
}

export type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

const CALL_MS_MAX = 30_000;

/**
 * A headless Chromium in a network namespace with nothing but loopback, spoken to over a pipe in the DevTools
 * protocol: JSON messages, each ended by a NUL (chromium's --remote-debugging-pipe). `close` may be called twice.
 */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Set<(message: Message) => void>();
  #lastId = 0;

  static async start(): Promise<Chromium> {
    return new Chromium(await mkdtemp(join(tmpdir(), 'tautline-chromium-')));
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const args = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
      'about:blank',
    ];
    this.#child = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh', 'chromium', ...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: folder },
    });
    this.#child.once('close', () => this.#fail('chromium ended'));
    this.#child.once('error', (error) => this.#fail(error.message));
    let rest = '';
    (this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
    // What is written after its end is an answer that nobody waits for.
    (this.#child.stdio[3] as Writable).on('error', () => undefined);
  }

  /** Opens a page whose messages come to `onMessage`. */
  async open(onMessage: (message: Message) => void): Promise<Page> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    this.#listeners.add((message) => {
      if (message.sessionId === sessionId && message.method !== undefined) onMessage(message);
    });
    const page = new Page(
      (method, params) => this.call(method, params, sessionId as string),
      (listener) => this.#listeners.add(listener),
    );
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.call(`${domain}.enable`);
    return page;
  }

  async call(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`chromium did not answer ${method} within ${CALL_MS_MAX} ms`)), CALL_MS_MAX);
        (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    const ended =
      this.#child.exitCode !== null || this.#child.signalCode !== null ? undefined : new Promise((resolve) => this.#child.once('close', resolve));
    if (ended) {
      await this.call('Browser.close').catch(() => this.#child.kill('SIGKILL'));
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(message: Message): void {
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (waiting && message.error) waiting.reject(new Error(message.error.message));
    else waiting?.resolve(message.result ?? {});
    for (const listener of this.#listeners) listener(message);
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}

/** One page of a browser. */
export class Page {
  readonly call: (method: string, params?: object) => Promise<Record<string, unknown>>;
  readonly #listen: (listener: (message: Message) => void) => void;

  constructor(call: Page['call'], listen: (listener: (message: Message) => void) => void) {
    this.call = call;
    this.#listen = listen;
  }

  /** Loads an address and waits for the page's `load` event. */
  async go(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      this.#listen((message) => message.method === 'Page.loadEventFired' && resolve());
    });
    await this.call('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression; promises are awaited. @throws what the expression throws */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  async view(options: { width: number; height?: number; scheme?: 'light' | 'dark'; media?: 'screen' | 'print' }): Promise<void> {
    const { width, height = 800, scheme = 'light', media = 'screen' } = options;
    await this.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 500 });
    await this.call('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
  }

  async press(key: 'Tab' | 'Enter'): Promise<void> {
    const code = { Tab: 9, Enter: 13 }[key];
    for (const type of ['keyDown', 'keyUp'])
      await this.call('Input.dispatchKeyEvent', {
        type,
        key,
        code: key,
        windowsVirtualKeyCode: code,
        ...(key === 'Enter' && type === 'keyDown' ? { text: '\r' } : {}),
      });
  }

  /** The whole page as a PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }

  /** As a person would print it: on paper's terms and without backgrounds. */
  async pdf(): Promise<Buffer> {
    await this.call('Emulation.setEmulatedMedia', { media: '', features: [] });
    const { data } = await this.call('Page.printToPDF', { printBackground: false });
    return Buffer.from(data as string, 'base64');
  }
}
