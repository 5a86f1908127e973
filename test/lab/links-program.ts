import { TautlineError } from '../../src/base/index.js';
import { createLinkControl } from '../../src/host/control/links.js';
import type { LinkControl } from '../../src/host/control/links.js';
import { createFacts } from '../../src/host/facts/index.js';
import { createCommands } from '../../src/host/commands.js';
import { createFiles } from '../../src/host/files.js';
import { loadLibc } from '../../src/host/libc/index.js';
import { writeChannels, writeFeatures } from '../../src/host/netlink/index.js';

/*
 * A program for a namespace: gives orders to the kernel one after another and prints what became of each, and the links after
 * them, as JSON. An order is a function of the port with what it takes; `look` in between keeps the links as they are then;
 * `oldFeatures` and `oldChannels` are carried out as on a kernel without netlink, by ioctl.
 *
 *     node links-program.js '[["setFeatures", "path0", {"scatter-gather": false}], ["look"]]'
 */
const [, , orders = '[]'] = process.argv;
const control = createLinkControl();
const facts = createFacts(createFiles(), createCommands());
const AF_NETLINK = 16;
const libc = loadLibc();
const old = libc && {
  ...libc,
  socket: (domain: number, type: number, protocol: number) => (domain === AF_NETLINK ? -1 : libc.socket(domain, type, protocol)),
};
const byIoctl = { oldFeatures: writeFeatures, oldChannels: writeChannels };
const outcomes: unknown[] = [];
for (const [name = '', ...args] of JSON.parse(orders) as string[][]) {
  const write = byIoctl[name as keyof typeof byIoctl] as ((...args: readonly unknown[]) => unknown) | undefined;
  if (write && old) {
    outcomes.push({ ok: write(old, { name: args[0], index: old.if_nametoindex(args[0] ?? '') }, args[1]) ?? null });
    continue;
  }
  try {
    const call = control[name as keyof LinkControl] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
    outcomes.push({ ok: (await (call ? call(...args) : facts.links(args[0]))) ?? null });
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    outcomes.push({ code: error.code, message: error.message, hint: error.hint });
  }
}
process.stdout.write(JSON.stringify(outcomes));
