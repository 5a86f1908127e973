import { formatQuantity, formatRate } from '../../base/index.js';
import type {
  DockerDetails,
  LinkDetails,
  Measurement,
  MtuDetails,
  ResultDocument,
  SshDetails,
  TailscaleDetails,
  TraceDetails,
} from '../../results/index.js';
import { packetSize } from '../rows.js';
import { folded, table } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';

/** What lies under the figures: interfaces, MTU, routers, tunnel, SSH, containers. Closed, since few readers need it. */
export function layersSection(document: ResultDocument): Markup {
  const measurements =
    document.schema === 'tautline.measure/1' ? document.measurements : document.subjects.flatMap((subject) => subject.measurements);
  const found = measurements.flatMap((measurement) => {
    const layer = Object.hasOwn(LAYERS, measurement.probe) ? LAYERS[measurement.probe] : undefined;
    const body = layer && measurement.details !== undefined ? layer(measurement.details, measurement) : undefined;
    return body === undefined ? [] : [{ measurement, body }];
  });
  if (found.length === 0) return NOTHING;
  const open = document.schema === 'tautline.measure/1';
  return html`<section id="layers">
    <h2>Layers</h2>
    ${found.map(({ measurement, body }) => (open ? body : folded(titleOf(measurement), body)))}
  </section>`;
}

/** A probe's details in the page, or undefined where they say nothing. */
type Layer = (details: Readonly<Record<string, unknown>>, measurement: Measurement) => Markup | undefined;

const LAYERS: Readonly<Record<string, Layer>> = { link, mtu, trace, tailscale, ssh, docker };

function titleOf({ probe, metric, target, path, details }: Measurement): string {
  const link = (details as Partial<LinkDetails> | undefined)?.link;
  const about = link?.name ?? (path === 'default' || path === '' ? target : `${target}, path ${path}`);
  return `${metric === probe ? probe : metric}: ${about}`;
}

function facts(caption: string, pairs: readonly (readonly [string, Content])[]): Markup | undefined {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '' && value !== false);
  return known.length === 0 ? undefined : table({ caption, head: ['fact', 'value'], rows: known });
}

function link(given: Readonly<Record<string, unknown>>): Markup | undefined {
  const { link: found, ratesPerSecond, softirq } = given as Partial<LinkDetails>;
  if (!found) return undefined;
  const off = Object.entries(found.features ?? {}).filter(([, { on, changeable }]) => !on && changeable);
  const rates = Object.entries(ratesPerSecond ?? {}).map(([name, rate]) => `${name} ${formatQuantity(rate, 'count')}/s`);
  return facts(`Interface ${found.name}`, [
    ['kind', found.kind],
    ['state', `${found.up ? 'up' : 'down'}${found.carrier === false ? ', no carrier' : ''}`],
    ['speed', found.speedBps === undefined ? undefined : formatRate(found.speedBps)],
    ['duplex', found.duplex],
    ['negotiated', found.autonegotiation === undefined ? undefined : found.autonegotiation ? 'automatically' : 'fixed by hand'],
    ['this end can do', found.supportedBpsMax === undefined ? list(found.supported) : formatRate(found.supportedBpsMax)],
    ['other end can do', found.partnerBpsMax === undefined ? list(found.partner) : formatRate(found.partnerBpsMax)],
    ['MTU', found.mtu === undefined ? undefined : packetSize(found.mtu)],
    ['driver', [found.driver, found.firmware].filter((part) => part !== undefined).join(', firmware ')],
    ['queues', found.queues && `${found.queues.rx} receive, ${found.queues.tx} send`],
    ['queue disciplines', found.qdiscs?.map(({ kind, rateBps }) => `${kind}${rateBps === undefined ? '' : ` ${formatRate(rateBps)}`}`).join(', ')],
    ['offloads that are off', list(off.map(([name]) => name))],
    ['while measuring', rates.join(', ')],
    ['busiest processor in soft interrupts', softirq && formatQuantity(softirq.busiest, 'ratio')],
    ['could not be read', found.unread?.map(({ what, why }) => `${what} (${why})`).join('; ')],
  ]);
}

function mtu(given: Readonly<Record<string, unknown>>, { metric }: Measurement): Markup | undefined {
  const found = given as Partial<MtuDetails>;
  return facts(metric, [
    ['method', found.method],
    ['passes', found.passesBytes === undefined ? undefined : packetSize(found.passesBytes)],
    ['does not pass', found.failsBytes === undefined ? undefined : packetSize(found.failsBytes)],
    [
      'black hole',
      found.blackHole === undefined ? undefined : found.blackHole ? html`<b class="problem">yes: large packets vanish and nobody says so</b>` : 'no',
    ],
    [
      'said too big',
      found.tooBigFrom === undefined
        ? undefined
        : `${found.tooBigFrom}${found.tooBigMtuBytes === undefined ? '' : `, names ${packetSize(found.tooBigMtuBytes)}`}`,
    ],
    ['interface', found.interfaceName === undefined ? undefined : `${found.interfaceName}, ${packetSize(found.interfaceMtuBytes ?? Number.NaN)}`],
    ['TCP segment', found.mssBytes === undefined ? undefined : packetSize(found.mssBytes)],
    ['sizes tried', found.tried?.map(({ bytes, sent, passed }) => `${bytes} (${passed} of ${sent})`).join(', ')],
  ]);
}

function trace(given: Readonly<Record<string, unknown>>): Markup | undefined {
  const { hops = [], protocol, reached } = given as Partial<TraceDetails>;
  if (hops.length === 0) return undefined;
  return table({
    caption: `Routers on the way (${protocol ?? 'unknown protocol'}${reached === false ? ', the target was not reached' : ''})`,
    head: ['hop', 'address', 'name', 'answered', 'least', 'median', 'most', 'remark'],
    figures: [0, 3, 4, 5, 6],
    rows: hops.flatMap(({ ttl, sent, answered, nodes, ended }): Content[][] =>
      nodes.length === 0
        ? [[String(ttl), html`<span class="quiet">silent</span>`, '', `0 of ${sent}`, '', '', '', ended]]
        : nodes.map(({ address, name, rttMs, answered: own }, i) => [
            String(ttl),
            address,
            name ?? '',
            nodes.length > 1 ? `${own}, all ${answered} of ${sent}` : `${answered} of ${sent}`,
            rttMs ? formatQuantity(rttMs.min, 'ms') : '',
            rttMs ? formatQuantity(rttMs.median, 'ms') : '',
            rttMs ? formatQuantity(rttMs.max, 'ms') : '',
            i > 0 ? 'beside the one above' : (ended ?? ''),
          ]),
    ),
  });
}

function tailscale(given: Readonly<Record<string, unknown>>): Markup | undefined {
  const { state, version, peer, mtu: mtuBytes, netcheck, directButBroken, health } = given as Partial<TailscaleDetails>;
  return facts('Tailscale', [
    ['state', state],
    ['version', version],
    ['peer', peer && `${peer.name}, ${peer.online ? 'online' : 'offline'}`],
    [
      'connection',
      peer &&
        `${peer.connection}${peer.relay === undefined ? '' : `, relay ${peer.relay}`}${peer.endpoint === undefined ? '' : `, ${peer.endpoint}`}`,
    ],
    ['broken', directButBroken === true && html`<b class="problem">it says direct, and packets do not come through</b>`],
    ['last handshake', peer?.handshakeAgeMs === undefined ? undefined : `${formatQuantity(peer.handshakeAgeMs, 'ms')} ago`],
    ['MTU', mtuBytes === undefined ? undefined : packetSize(mtuBytes)],
    ['UDP', netcheck && (netcheck.udp ? 'works' : 'blocked')],
    ['address translation', netcheck?.mappingVaries === undefined ? undefined : netcheck.mappingVaries ? 'hard (varies by destination)' : 'easy'],
    ['nearest relay', netcheck?.nearestRelay],
    ['health', health?.join('; ')],
  ]);
}

function ssh(given: Readonly<Record<string, unknown>>, { metric }: Measurement): Markup | undefined {
  const { alias, user, host, port, software, kex, hostKey, proxy, compression, multiplexing, staleSockets, keys } = given as Partial<SshDetails>;
  return facts(metric, [
    ['as', [user, host].filter((part) => part !== undefined).join('@') + (port === undefined ? '' : `:${port}`)],
    ['alias', alias],
    ['server', software],
    ['key exchange', [kex, hostKey].filter((part) => part !== undefined).join(', ')],
    ['through', proxy],
    ['compression', compression === undefined ? undefined : compression ? 'on' : 'off'],
    ['shared connection', multiplexing && (multiplexing.configured ? `set up, ${multiplexing.running ? 'running' : 'not running'}` : 'not set up')],
    ['stale sockets', list(staleSockets)],
    [
      'keys',
      keys
        ?.map(({ path, problem, fix }) => `${path}${problem === undefined ? '' : `: ${problem}`}${fix === undefined ? '' : ` (${fix})`}`)
        .join('; '),
    ],
  ]);
}

function docker(given: Readonly<Record<string, unknown>>): Markup | undefined {
  const { engine, version, containers = [], networks = [], overlaps = [] } = given as Partial<DockerDetails>;
  if (engine === undefined) return undefined;
  return html`<p>${engine} ${version}</p>
    ${
      containers.length > 0 &&
      table({
        caption: 'Containers',
        head: ['container', 'state', 'health', 'restarts', 'networks', 'ports', 'image'],
        figures: [3],
        rows: containers.map(({ name, state, health, restarts, networks: on, ports, image, oomKilled }) => [
          name,
          oomKilled === true ? html`${state}, <b class="problem">killed for memory</b>` : state,
          health === 'unhealthy' ? html`<b class="problem">unhealthy</b>` : (health ?? ''),
          String(restarts),
          on.join(', '),
          ports.map(({ published, inside, protocol }) => `${published === undefined ? '' : `${published} to `}${inside}/${protocol}`).join(', '),
          image,
        ]),
      })
    }${
      networks.length > 0 &&
      table({
        caption: 'Container networks',
        head: ['network', 'driver', 'subnets', 'MTU', 'containers'],
        figures: [3],
        rows: networks.map(({ name, driver, subnets, mtu: mtuBytes, containers: inside }) => [
          name,
          driver,
          subnets.join(', '),
          mtuBytes === undefined ? '' : packetSize(mtuBytes),
          inside.join(', '),
        ]),
      })
    }${
      overlaps.length > 0 &&
      html`<ul>
        ${overlaps.map(({ subnet, with: other, what }) => html`<li><b>${subnet}</b> overlaps ${other}: ${what}</li>`)}
      </ul>`
    }`;
}

function list(items: readonly string[] | undefined): string | undefined {
  return items === undefined || items.length === 0 ? undefined : items.join(', ');
}
