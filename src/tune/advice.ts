import type { EnvironmentFacts, Source } from './setting.js';

/** The profile that suits this kind of host, and why. */
export interface AdvisedProfile {
  readonly profile: 'conservative' | 'moderate';
  readonly why: string;
}

/** What to know about this kind of host or provider. */
export interface Advice {
  readonly text: string;
  readonly source?: Source;
}

type Applies = (environment: EnvironmentFacts) => boolean;

/** The first row that applies decides. Advice of a provider or a guide stands only as far as it is true: what a setting does is probed, and `tune try` measures it. */
const PROFILES: readonly (AdvisedProfile & { readonly applies: Applies })[] = [
  {
    applies: ({ kind }) => kind === 'container',
    profile: 'conservative',
    why: 'this is a container: most of /proc/sys is read-only here, and devices, governors and limits belong to its host; what a network namespace has of its own can be set',
  },
  {
    applies: (environment) => line(environment) === 'CCX',
    profile: 'moderate',
    why: "Hetzner Cloud's CCX line has processors of its own, so what trades processor time for delay takes from nobody else: try aggressive by experiment ('tautline tune try aggressive'), as some of it harms other work such as databases",
  },
  {
    applies: (environment) => line(environment) === 'CX',
    profile: 'moderate',
    why: "Hetzner Cloud's CX line shares its processors: polling would burn time that neighbours and the scheduler take back, so nothing of that kind is proposed",
  },
  {
    applies: (environment) => line(environment) === 'CPX' || line(environment) === 'CAX',
    profile: 'moderate',
    why: 'every profile runs on this line of Hetzner Cloud; its processors are shared, so start with moderate and let an experiment say whether aggressive gains anything',
  },
  {
    applies: ({ provider }) => provider === 'hetzner-cloud',
    profile: 'moderate',
    why: 'a machine of Hetzner Cloud: moderate, or aggressive where its processors are its own (CCX)',
  },
  {
    applies: ({ provider, kind }) => provider === 'hetzner-dedicated' && kind === 'metal',
    profile: 'moderate',
    why: "a dedicated server: governor, idle states, interrupts and rings are its own, so aggressive has something to change here, and some of it harms other work such as databases: let an experiment decide ('tautline tune try aggressive')",
  },
  {
    applies: ({ kind }) => kind === 'vm',
    profile: 'moderate',
    why: "a virtual machine: the governor, idle states and the card's interrupts are the hypervisor's, so more than moderate has little left to change",
  },
  {
    applies: () => true,
    profile: 'moderate',
    why: 'the balanced profile: what is known to help and costs next to nothing',
  },
];

export function adviseProfile(environment: EnvironmentFacts): AdvisedProfile {
  // The last row applies to every host.
  const { profile, why } = PROFILES.find(({ applies }) => applies(environment)) as (typeof PROFILES)[number];
  return { profile, why };
}

const HETZNER_FIREWALLS: Source = { title: 'Hetzner Cloud: firewalls, questions and answers', url: 'https://docs.hetzner.com/cloud/firewalls/faq' };
const HETZNER_NETWORKS: Source = { title: 'Hetzner Cloud: networks', url: 'https://docs.hetzner.com/cloud/networks/overview/' };
const ENA: Source = {
  title: 'Amazon EC2: improve network latency for Linux',
  url: 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ena-improve-network-latency-linux.html',
};

const hetzner: Applies = ({ provider }) => provider === 'hetzner-cloud' || provider === 'hetzner-dedicated';

const ADVICE: readonly (Advice & { readonly applies: Applies })[] = [
  {
    applies: ({ kind }) => kind === 'container',
    text: 'Tune the host that this container runs on. Docker sets keys of the network namespace when a container is made (docker run --sysctl net.ipv4.tcp_notsent_lowat=131072), limits with --ulimit.',
    source: { title: 'docker run: --sysctl', url: 'https://docs.docker.com/reference/cli/docker/container/run/#sysctl' },
  },
  {
    applies: ({ kind }) => kind === 'vm',
    text: "Governor and idle states are the hypervisor's here: guides that ask for governor=performance on such a machine change nothing. Time that a neighbour takes is seen as steal; 'tautline check' tells of it.",
  },
  {
    applies: hetzner,
    text: 'Where the machine stands matters more than any setting: light in fibre takes 1 ms for 100 km there and back, so a service across the Atlantic is some 80 to 100 ms away, tuned or not. Measure it before you choose a location: tautline measure tls api.openai.com:443.',
  },
  {
    applies: ({ provider }) => provider === 'hetzner-cloud',
    text: "The line matters: CCX has processors of its own and suits aggressive; CPX and CAX run every profile; on CX, whose processors are shared with neighbours, stay with moderate. A shared processor's jitter is larger than what settings of the network can win.",
  },
  {
    applies: ({ provider }) => provider === 'hetzner-cloud',
    text: "Hetzner's Cloud Firewall filters outside of the machine and costs it nothing, but it does not filter private networks. Rules of your own (nftables, Docker, UFW) come on top, at a few microseconds of processor time a packet at most.",
    source: HETZNER_FIREWALLS,
  },
  {
    applies: ({ provider }) => provider === 'hetzner-cloud',
    text: 'Private networks there have an MTU of 1450. Docker bridges and tunnels over them must have less, or large packets vanish.',
    source: HETZNER_NETWORKS,
  },
  {
    applies: ({ provider }) => provider === 'hetzner-dedicated',
    text: "Hetzner's firewall for dedicated servers filters in the switch, without memory of connections, so answers need rules too; it costs this machine nothing.",
    source: { title: 'Hetzner Robot: firewall', url: 'https://docs.hetzner.com/robot/dedicated-server/firewall/' },
  },
  {
    applies: ({ provider }) => provider === 'aws',
    text: "For the least delay Amazon's guide for its ENA card turns interrupt moderation off (adaptive-rx off, rx-usecs 0, tx-usecs 0); aggressive does so where the driver can. Within one region use a cluster placement group.",
    source: ENA,
  },
  {
    applies: ({ provider }) => provider === 'aws',
    text: 'Within a VPC the MTU is 9001, to the internet 1500: do not lower the interface; path MTU discovery needs ICMP type 3 code 4 allowed in security groups.',
    source: { title: 'Amazon EC2: network MTU', url: 'https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html' },
  },
  {
    applies: ({ provider }) => provider === 'gcp',
    text: 'Networks of Google Cloud have an MTU of 1460 unless they were made with another: Docker bridges on such a machine must have no more.',
    source: { title: 'Google Cloud: maximum transmission unit', url: 'https://cloud.google.com/vpc/docs/mtu' },
  },
  {
    applies: ({ provider }) => provider === 'azure',
    text: 'With accelerated networking a second, hardware interface carries the traffic below the synthetic one: settings of queues and coalescing belong to that one, and it may vanish for a while during maintenance.',
    source: { title: 'Azure: accelerated networking', url: 'https://learn.microsoft.com/azure/virtual-network/accelerated-networking-overview' },
  },
  {
    applies: ({ init, kind }) => init === 'launchd' && kind === 'metal',
    text: 'macOS reads /etc/sysctl.conf no more since Big Sur: what is to outlive a restart is set by a LaunchDaemon.',
  },
];

/** What to know here, the most general first. */
export function adviceFor(environment: EnvironmentFacts): readonly Advice[] {
  return ADVICE.filter(({ applies }) => applies(environment)).map(({ text, source }) => ({ text, ...(source ? { source } : {}) }));
}

/** Hetzner Cloud's line of machines, where all that this one may be are of the same. */
function line({ provider, product }: EnvironmentFacts): string | undefined {
  if (provider !== 'hetzner-cloud' || product === undefined) return undefined;
  const lines = new Set(product.split(' or ').map((name) => /^[A-Z]+/.exec(name)?.[0]));
  return lines.size === 1 ? [...lines][0] : undefined;
}
