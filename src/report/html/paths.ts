import { formatRate } from '../../base/index.js';
import type { PathChoice, ResultDocument } from '../../results/index.js';
import { chosenOf, packetSize } from '../rows.js';
import { badge, figure, rating } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';
import { type PathView, pathViewsOf } from './path-view.js';

/** The paths as a picture: from this host through interfaces, relays and routers to the peer, with what was measured on each. */
export function pathsSection(document: ResultDocument): Markup {
  const views = pathViewsOf(document);
  if (views.length === 0 || document.schema === 'tautline.measure/1') return NOTHING;
  const peers = [...new Set(views.map(({ peer }) => peer))];
  return html`<section id="paths">
    <h2>${views.length === 1 ? 'The path' : 'The paths'}</h2>
    ${choicesOf(document.choices ?? [])}${peers.map((peer) => {
      const paths = views.filter((view) => view.peer === peer);
      return html`<ul class="paths">
        ${paths.map((path) => pathItem(path, document.host.name))}
      </ul>`;
    })}
  </section>`;
}

const PURPOSES: Readonly<Record<PathChoice['purpose'], string>> = { latency: 'best for latency', bulk: 'best for bulk', overall: 'best overall' };

function choicesOf(choices: readonly PathChoice[]): Content {
  if (choices.length === 0) return NOTHING;
  return html`<ul class="choices">
    ${choices.map(
      (choice) =>
        html`<li>
          ${badge(choice.path === undefined ? 'plain' : 'chosen', `${PURPOSES[choice.purpose]}: ${chosenOf(choice)}`)} ${choice.sentence}
        </li>`,
    )}
  </ul>`;
}

const KINDS: Readonly<Record<string, string>> = {
  lan: 'local network',
  tailscale: 'Tailscale',
  ssh: 'SSH',
  wan: 'internet',
  loopback: 'loopback',
  gateway: 'gateway',
  resolver: 'resolver',
  other: 'other',
};

function pathItem(path: PathView, host: string): Markup {
  const { kind } = path;
  const title = path.name === '' ? path.peer : path.name;
  return html`<li class="path${path.chosenFor.length > 0 && ' chosen'}${kind !== undefined && TUNNELS.includes(kind) && ' tunnel'}">
    <h3>
      ${title}${
        kind !== undefined && KINDS[kind] !== undefined && KINDS[kind] !== title && html` <span class="quiet">${KINDS[kind]}</span>`
      }${path.chosenFor.map((purpose) => html` ${badge('chosen', `✓ ${PURPOSES[purpose]}`)}`)}
    </h3>
    <ol class="track ${widthOf(path)}" aria-label="from this host to ${path.peer}">
      ${stopsOf(path, host).map(
        (stop) => html`<li class="${stop.kind}"><b>${stop.name}</b>${stop.about !== undefined && html` <span>${stop.about}</span>`}</li>`,
      )}
    </ol>
    <dl class="tiles">${tilesOf(path)}</dl>
  </li>`;
}

const TUNNELS: readonly string[] = ['tailscale', 'ssh'];

interface Stop {
  readonly kind: 'end' | 'stop' | 'many';
  readonly name: string;
  readonly about?: string | undefined;
}

/** More routers than this are one stop; the table of hops names them all. */
const ROUTERS_MAX = 3;

function stopsOf(path: PathView, host: string): Stop[] {
  const { link, tailscale } = path;
  const stops: Stop[] = [{ kind: 'end', name: host, about: 'this host' }];
  if (path.interfaceName !== undefined) {
    const speed = link?.speedBps === undefined ? undefined : formatRate(link.speedBps);
    const about = [link?.kind, speed, link?.duplex === 'half' ? 'half duplex' : undefined].filter((part) => part !== undefined);
    stops.push({ kind: 'stop', name: path.interfaceName, about: about.length === 0 ? undefined : about.join(', ') });
  }
  const tunnel = tailscale?.peer;
  if (tunnel?.connection === 'relayed') stops.push({ kind: 'stop', name: tunnel.relay ?? 'DERP', about: 'relay' });
  if (tunnel?.connection === 'direct') stops.push({ kind: 'stop', name: tunnel.endpoint ?? 'direct', about: 'direct tunnel' });
  return [...stops, ...routersOf(path), { kind: 'end', name: path.peer, about: path.address === path.peer ? undefined : path.address }];
}

function routersOf({ trace }: PathView): Stop[] {
  const hops = trace?.hops ?? [];
  const routers = trace?.reached === true ? hops.slice(0, -1) : hops;
  if (routers.length > ROUTERS_MAX) {
    const silent = routers.filter(({ nodes }) => nodes.length === 0).length;
    return [{ kind: 'many', name: `${routers.length} routers`, about: silent > 0 ? `${silent} of them silent` : undefined }];
  }
  return routers.map(({ nodes: [node, ...others] }) => ({
    kind: 'stop',
    name: node?.name ?? node?.address ?? 'silent router',
    about: others.length > 0 ? `and ${others.length} beside it` : undefined,
  }));
}

/** The line is as thick as the path is fast. */
function widthOf({ up, down }: PathView): string {
  const bps = Math.max(up?.summary?.median ?? 0, down?.summary?.median ?? 0);
  return bps >= 2e9 ? 'fastest' : bps >= 5e8 ? 'fast' : bps >= 5e7 ? 'medium' : 'slow';
}

function tilesOf(path: PathView): Content {
  const lowest = path.limits[0];
  const tiles: (readonly [string, Content])[] = [];
  if (path.rtt) tiles.push([path.rtt.metric === 'rtt' ? 'round trip' : path.rtt.metric, [figure(path.rtt), ' ', rating(path.rtt.rating)]]);
  if (path.down) tiles.push(['throughput down', [figure(path.down), ' ', rating(path.down.rating)]]);
  if (path.up) tiles.push(['throughput up', [figure(path.up), ' ', rating(path.up.rating)]]);
  if (path.mtuBytes !== undefined) tiles.push(['MTU', html`<b>${packetSize(path.mtuBytes)}</b> <small>${path.mtuTold}</small>`]);
  if (lowest)
    tiles.push([
      `lowest limit${lowest.direction === 'both' ? '' : ` ${lowest.direction}`}`,
      html`<b>${formatRate(lowest.bps)}</b> <small>${lowest.why} (${lowest.kind})</small>`,
    ]);
  if (tiles.length === 0)
    tiles.push(['measured', html`<span class="problem">${path.measurements[0]?.reason ?? path.measurements[0]?.outcome ?? 'nothing'}</span>`]);
  return tiles.map(
    ([name, value]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`,
  );
}
