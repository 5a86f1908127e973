import { formatBytes, shellWord } from '../../../base/index.js';
import type { DockerDetails, MtuDetails } from '../../../results/index.js';
import { detailsOf, finite, worked } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem } from '../cause.js';
import { change, look } from '../steps.js';
import { dockerOf } from '../symptoms/state.js';
import { overlapsOf } from '../subnets.js';

type Container = DockerDetails['containers'][number];

/** So many restarts are no accident. */
const RESTARTS_MIN = 3;

export const containerUnhealthy: Cause = {
  id: 'container-unhealthy',
  title: 'A container is not well',
  severity: 'warning',
  explains: ['container-trouble', 'slow-server', 'no-answer'],
  check: 'state, health and restarts of every container, and whether the kernel ended it for its memory',
  fix: 'read its log; raise its memory limit where it was ended for memory',
  specificity: 3,
  judge(facts) {
    const told = dockerOf(facts);
    if (!told?.containers) return unknown('no container engine was asked');
    const bad = told.containers.flatMap((container) => {
      const problem = problemOf(container);
      return problem === undefined ? [] : [{ container, problem }];
    });
    if (bad.length === 0) return excluded(`all ${told.containers.length} containers are well`);
    const engine = told.engine ?? 'docker';
    const oom = bad.find(({ container }) => container.oomKilled === true)?.container;
    const [first] = bad;
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: bad.map(({ container, problem }): EvidenceItem => ({ text: `${container.name} (${container.image}) ${problem}` })),
      next: [
        look('see the state of all', `${engine} ps -a`, 'docker'),
        look('read its log', `${engine} logs --tail 50 ${shellWord(first?.container.name ?? 'NAME')}`),
        ...(oom
          ? [
              change(
                `give ${oom.name} more memory${oom.memoryLimitBytes === undefined ? '' : ` than ${formatBytes(oom.memoryLimitBytes)}`}`,
                `${engine} update --memory SIZE ${shellWord(oom.name)}`,
              ),
            ]
          : []),
      ],
    };
  },
};

function problemOf({ state, health, restarts, oomKilled }: Container): string | undefined {
  if (oomKilled === true) return 'was ended by the kernel for its memory';
  if (state === 'restarting') return `keeps restarting (${restarts} times)`;
  if (health === 'unhealthy') return 'is unhealthy by its own check';
  if (state === 'dead') return 'is dead';
  return state === 'running' && restarts >= RESTARTS_MIN ? `was restarted ${restarts} times` : undefined;
}

export const containerMtu: Cause = {
  id: 'container-mtu',
  title: 'A container network sends larger packets than the path takes',
  severity: 'warning',
  explains: ['container-trouble', 'large-packets-vanish'],
  check: 'the MTU of each container network against the smallest path MTU that was measured',
  fix: 'set com.docker.network.driver.mtu of user networks (the daemon’s "mtu" covers only the default bridge), or clamp the MSS',
  specificity: 2,
  judge(facts) {
    const told = dockerOf(facts);
    if (!told?.networks) return unknown('no container engine was asked');
    const smallest = smallestMtu(facts, finite(told.pathMtuBytes));
    if (smallest === undefined) return unknown('the MTU of no path was measured');
    const larger = told.networks.filter(
      (network) => network.containers.length > 0 && network.driver !== 'host' && network.driver !== 'null' && (network.mtu ?? 1500) > smallest.bytes,
    );
    if (larger.length === 0) return excluded(`no network with containers sends more than ${smallest.bytes} bytes`);
    const engine = told.engine ?? 'docker';
    return {
      state: 'supported',
      proof: 'shown',
      of: 'near',
      evidence: larger.map((network) => ({
        text: `the network ${network.name} has MTU ${network.mtu ?? 1500}, ${smallest.where} takes ${smallest.bytes}; ${network.containers.length} containers are on it`,
        value: network.mtu ?? 1500,
        unit: 'bytes',
        expected: smallest.bytes,
      })),
      next: [
        look('see the networks', `${engine} network ls`, 'docker'),
        change('clamp the MSS of what is forwarded', 'nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu'),
        change(
          `or create the network anew with the path's MTU`,
          `${engine} network create --opt com.docker.network.driver.mtu=${smallest.bytes} ${shellWord(larger[0]?.name ?? 'NAME')}`,
        ),
      ],
    };
  },
};

function smallestMtu({ all, path }: Case, given: number | undefined): { bytes: number; where: string } | undefined {
  const measured = [...all.paths, path].flatMap((each) =>
    each.measurements.flatMap((measurement) => {
      if (measurement.probe !== 'mtu' || !worked(measurement, 'bytes') || detailsOf<MtuDetails>(measurement).direction === 'down') return [];
      return [{ bytes: measurement.summary?.median ?? 0, where: each.path === '' ? `the path` : `the path ${each.path} to ${each.peer}` }];
    }),
  );
  const every = [...measured, ...(given === undefined ? [] : [{ bytes: given, where: 'the path' }])].filter(({ bytes }) => bytes >= 576);
  return every.toSorted((a, b) => a.bytes - b.bytes)[0];
}

export const overlappingSubnets: Cause = {
  id: 'overlapping-subnets',
  title: 'Container subnets overlap',
  severity: 'warning',
  explains: ['container-trouble', 'no-answer'],
  check: 'the subnets of container networks against each other, the routes of this host, and those of the peer',
  fix: 'give one of them another subnet: addresses that exist at both ends are never sent over the path',
  specificity: 2,
  judge(facts) {
    const told = dockerOf(facts);
    const { near, far } = facts.path;
    const between = overlapsOf(near?.containerSubnets ?? [], far?.containerSubnets ?? []).filter(({ subnet }) => !DEFAULT_BRIDGE.test(subnet));
    const overlaps = told?.overlaps ?? [];
    if (!told && (near?.containerSubnets === undefined || far?.containerSubnets === undefined))
      return unknown('the container subnets of both ends are not known');
    if (overlaps.length + between.length === 0) return excluded('no container subnet overlaps another');
    return {
      state: 'supported',
      proof: 'shown',
      of: between.length > 0 ? 'path' : 'near',
      evidence: [
        ...overlaps.map((each) => ({ text: `${each.subnet} overlaps ${each.with} (${each.what})` })),
        ...between.map((each) => ({ text: `${each.subnet} here and ${each.with} at the peer overlap` })),
      ],
      next: [change('create one of the networks anew with another subnet', `${told?.engine ?? 'docker'} network create --subnet 10.213.0.0/24 NAME`)],
    };
  },
};

/** Every Docker host has this one; containers on it are not reached from elsewhere. */
const DEFAULT_BRIDGE = /^172\.17\.0\.0\/16$/;
