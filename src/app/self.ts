import { TautlineError } from '../base/index.js';
import { createHostPorts } from '../host/index.js';
import type { SelfServe } from './check-host.js';
import { startServe } from './serve.js';

/** A responder on loopback that lives as long as a check needs it. @throws TautlineError when not even that can be started */
export async function startSelf(): Promise<SelfServe> {
  const ports = createHostPorts({ logLevel: 'none' });
  const start = (bind: string) => startServe(ports, { bind, port: 0 });
  // A host may have IPv6 alone.
  const serve = await start('127.0.0.1').catch((error: unknown) => {
    if (error instanceof TautlineError) return start('::1');
    throw error;
  });
  return {
    endpoint: serve.local,
    close: async () => {
      await serve.close();
      await ports.close();
    },
  };
}
