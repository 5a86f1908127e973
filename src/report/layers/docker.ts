import { formatQuantity } from '../../base/index.js';
import type { DockerDetails, DockerServiceDetails, Measurement } from '../../results/index.js';
import { type Block, type Layer, type LayerCell, bad, bytes, counted, notesBlock, quiet } from './layer.js';

type Container = DockerDetails['containers'][number];
type Network = DockerDetails['networks'][number];

/** An engine's containers and networks, and how its published services answer. */
export function dockerLayer(api: Measurement, services: readonly Measurement[]): Layer | undefined {
  const found = (api.details ?? {}) as Partial<DockerDetails> & { readonly unread?: readonly string[]; readonly untried?: readonly string[] };
  const { engine, version, containers = [], networks = [], overlaps = [], pathMtuBytes, unread = [], untried = [] } = found;
  if (engine === undefined) return undefined;
  const name = `${engine === 'docker' ? 'Docker' : 'Podman'}${version === undefined ? '' : ` ${version}`}`;
  const unhealthy = containers.filter(({ health }) => health === 'unhealthy').length;
  return {
    title: name,
    of: [api, ...services],
    short: `${name}: ${[
      counted(containers.length, 'container'),
      unhealthy > 0 ? `${unhealthy} unhealthy` : undefined,
      counted(networks.length, 'network'),
      overlaps.length > 0 ? `${counted(overlaps.length, 'subnet')} overlapping` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join(', ')}`,
    blocks: [
      ...containersBlock(containers),
      ...networksBlock(networks, pathMtuBytes),
      ...servicesBlock(services),
      ...notesBlock([
        ...overlaps.map(({ subnet, with: other, what }) => bad(`${subnet} overlaps ${other} (${what})`)),
        ...[...unread, ...untried].map(quiet),
      ]),
    ],
  };
}

function containersBlock(containers: readonly Container[]): Block[] {
  if (containers.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Containers',
      columns: [
        { head: 'container', align: 'left' },
        { head: 'state', align: 'left' },
        { head: 'health', align: 'left' },
        { head: 'CPU', align: 'right', drop: 3 },
        { head: 'memory', align: 'right', drop: 4 },
        { head: 'ports', align: 'left', flexible: true },
        { head: 'networks', align: 'left', drop: 2 },
        { head: 'image', align: 'left', drop: 1 },
      ],
      rows: containers.map((container): LayerCell[] => [
        container.name,
        stateOf(container),
        container.health === 'unhealthy' ? bad('unhealthy') : (container.health ?? ''),
        container.cpuShare === undefined ? '' : formatQuantity(container.cpuShare, 'ratio'),
        memoryOf(container),
        [...new Set(container.ports.map(portOf))].join(', '),
        container.networks.join(', '),
        imageOf(container),
      ]),
    },
  ];
}

function stateOf({ state, oomKilled, restarts }: Container): LayerCell {
  const troubles = [oomKilled === true ? 'out of memory' : undefined, restarts > 0 ? counted(restarts, 'restart') : undefined];
  const text = [state, ...troubles].filter((part) => part !== undefined).join(', ');
  return text === state && state !== 'restarting' ? state : bad(text);
}

/** A digest is named as engines print it, by its first 12 digits. */
function imageOf({ image }: Container): string {
  return image.replace(/^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
}

function memoryOf({ memoryBytes, memoryLimitBytes }: Container): string {
  if (memoryBytes === undefined) return '';
  const used = formatQuantity(memoryBytes, 'bytes');
  return memoryLimitBytes === undefined ? used : `${used} of ${formatQuantity(memoryLimitBytes, 'bytes')}`;
}

function portOf({ host, published, inside, protocol }: Container['ports'][number]): string {
  const outside = published === undefined ? '' : `${host === undefined || host === '0.0.0.0' || host === '::' ? '' : `${host}:`}${published}→`;
  return `${outside}${inside}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

function networksBlock(networks: readonly Network[], pathMtuBytes: number | undefined): Block[] {
  if (networks.length === 0) return [];
  return [
    {
      kind: 'table',
      title: `Networks${pathMtuBytes === undefined ? '' : ` (the path takes ${pathMtuBytes} B)`}`,
      columns: [
        { head: 'network', align: 'left' },
        { head: 'driver', align: 'left' },
        { head: 'MTU', align: 'right' },
        { head: 'subnets', align: 'left' },
        { head: 'interface', align: 'left', drop: 1 },
        { head: 'containers', align: 'left', drop: 2, flexible: true },
      ],
      rows: networks.map(({ name, driver, subnets, mtu, interfaceName, containers }) => {
        const size = bytes(mtu) ?? '';
        const large = mtu !== undefined && pathMtuBytes !== undefined && mtu > pathMtuBytes && driver !== 'host';
        return [name, driver, large ? bad(size) : size, subnets.join(', '), interfaceName ?? '', containers.join(', ')];
      }),
    },
  ];
}

/** Connect and first byte of a service on one line. */
function servicesBlock(measurements: readonly Measurement[]): Block[] {
  const services = new Map<string, { about: Partial<DockerServiceDetails>; connect?: Measurement; firstByte?: Measurement; target: string }>();
  for (const measurement of measurements) {
    const about = (measurement.details ?? {}) as Partial<DockerServiceDetails>;
    const key = `${about.container} ${about.published}`;
    const known = services.get(key) ?? { about, target: measurement.target };
    services.set(key, { ...known, [measurement.metric === 'docker.ttfb' ? 'firstByte' : 'connect']: measurement });
  }
  if (services.size === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Published services',
      columns: [
        { head: 'container', align: 'left' },
        { head: 'port', align: 'right' },
        { head: 'inside', align: 'right', drop: 2 },
        { head: 'health', align: 'left', drop: 1 },
        { head: 'TCP connect', align: 'right' },
        { head: 'first byte', align: 'right' },
      ],
      rows: [...services.values()].map(({ about, connect, firstByte }) => [
        about.container ?? '',
        String(about.published ?? ''),
        String(about.inside ?? ''),
        about.health === 'unhealthy' ? bad('unhealthy') : (about.health ?? ''),
        timeOf(connect),
        timeOf(firstByte),
      ]),
    },
  ];
}

function timeOf(measurement: Measurement | undefined): LayerCell {
  if (!measurement) return '';
  return measurement.summary ? formatQuantity(measurement.summary.median, measurement.summary.unit) : bad(measurement.outcome);
}
