import assert from 'node:assert/strict';
import { simTuneHost } from '../../src/sim/index.js';
import { controlBehaves } from './control.js';

controlBehaves('the simulation', async () => {
  const host = simTuneHost({
    name: 'box',
    host: { addresses: ['192.0.2.1'] },
    folders: { '/work': 0o755 },
    devices: ['/dev/cpu_dma_latency'],
    values: { '/proc/sys/net/ipv4/tcp_reordering': '8' },
  });
  return {
    control: host.control,
    folder: '/work',
    user: { ownerId: 0, groupId: 0 },
    value: '/proc/sys/net/ipv4/tcp_reordering',
    mayHold: true,
    hardLink: async (path, other) => {
      const node = host.machine.tree.at(path);
      assert.ok(node);
      host.machine.tree.put(other, node);
    },
    lockElsewhere: async (path) => {
      const { control, process } = host.startProcess();
      assert.ok('release' in (await control.lock(path)));
      return { pid: process.pid, kill: async () => process.kill() };
    },
    close: () => Promise.resolve(),
  };
});
