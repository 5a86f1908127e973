import { DEFAULT_BANDS } from '../diagnose/index.js';
import { formatQuantity } from '../base/index.js';
import { settings } from './config-schema.js';
import type { Setting } from './config-schema.js';

/** docs/configuration.md, from the one declaration of the settings and the default bands. */
export function configReference(): string {
  const all = settings();
  const limits = all.filter((setting) => setting.path[0] === 'limits');
  const others = all.filter((setting) => setting.path[0] !== 'limits');
  return `${[
    '<!-- Written by scripts/config-reference.mjs from src/app/config-schema.ts: change it there. -->',
    '# Configuration',
    '',
    'Tautline reads one YAML file: the one named by `--config` or `TAUTLINE_CONFIG`, else `./tautline.yaml`, else `~/.config/tautline/tautline.yaml`. Without a file everything has a default.',
    '',
    'A setting is taken from its flag, else from its environment variable, else from the file, else from the default. An unknown key or an impossible value is an error that names the line.',
    '',
    '```yaml',
    EXAMPLE,
    '```',
    '',
    '## Settings',
    '',
    ...table(others),
    '',
    '## Peers',
    '',
    'Under `peers`, each name is an address (`beta: 10.0.0.2:7227`) or a block:',
    '',
    '| key | takes |',
    '|---|---|',
    '| `paths` | names and addresses (host, host:port or URL) of the ways to reach the peer |',
    '| `default-path` | the path to use when none is named; default: the first |',
    "| `key-file` | the key of the peer's `tautline serve`; default: the general `key-file` |",
    '',
    '`tautline check` without a target checks every path of every peer; `tautline check beta` those of one, `tautline check beta/vpn` one path.',
    '',
    '## Bands',
    '',
    'Under `bands`, each metric takes three edges: `excellent`, `good` and `fair`. What lies beyond `fair` is poor, so there are no gaps. A metric without bands of its own takes those of the longest name that it begins with (`throughput` for `throughput.up`). Defaults:',
    '',
    '| metric | better | excellent | good | fair | why |',
    '|---|---|---|---|---|---|',
    ...Object.entries(DEFAULT_BANDS).map(([metric, scale]) => {
      const edges = [scale.excellent, scale.good, scale.fair].map((edge) => formatQuantity(edge, scale.unit));
      return `| \`${metric}\` | ${scale.better} | ${edges.join(' | ')} | ${scale.why} |`;
    }),
    '',
    '## Limits of `tautline serve`',
    '',
    'Under `limits`, or with `--limit NAME=VALUE`.',
    '',
    ...table(limits),
  ].join('\n')}\n`;
}

const EXAMPLE = `key-file: tautline.key
peers:
  alpha: 10.0.0.1:7227
  beta:
    paths:
      lan: 10.0.0.2
      vpn: 100.64.0.2:7227
    default-path: lan
bands:
  rtt: { excellent: 1ms, good: 3ms, fair: 8ms }
  loss: { excellent: 0.1%, good: 1%, fair: 3% }
limits:
  streams-max: 16
  test: 30s`;

function table(rows: readonly Setting[]): string[] {
  return [
    '| key | what it is | takes | default | environment | flag |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| \`${row.path.join('.')}\` | ${row.help} | ${row.takes} | ${row.default} | \`${row.env}\` | ${row.flag === undefined ? '' : `\`${row.flag}\``} |`,
    ),
  ];
}
