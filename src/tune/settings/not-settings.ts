import type { Setting, Source, Step } from '../setting.js';
import { notDone } from './steps.js';

/** Something that people set for speed and that no host setting is. */
interface NotASetting {
  readonly id: string;
  readonly title: string;
  /** Why it is not done here, and what to do instead; one or two sentences. */
  readonly why: string;
  readonly sources: readonly Source[];
}

const COMPOSE: Source = { title: 'Compose file reference, services', url: 'https://docs.docker.com/reference/compose-file/services/' };

/** Data: a new piece of advice is a row. */
export const NOT_SETTINGS: readonly NotASetting[] = [
  {
    id: 'tcp-nodelay',
    title: 'TCP_NODELAY',
    why: 'A program asks for it on each of its sockets, and no setting of the host does it for all: set it where the program opens its connections (Node, Go, gRPC, nginx and browsers have it on already).',
    sources: [{ title: 'tcp(7), TCP_NODELAY', url: 'https://man7.org/linux/man-pages/man7/tcp.7.html' }],
  },
  {
    id: 'socket-buffers-of-programs',
    title: 'Buffers of 4, 16 or 64 KB in a program',
    why: 'A buffer bounds a connection to its size for each round trip (16 KB at 20 ms: 6.6 Mbit/s), and setting it ends autotuning (SO_RCVBUF): send small pieces at once with TCP_NODELAY and TCP_NOTSENT_LOWAT instead.',
    sources: [{ title: 'socket(7), SO_RCVBUF', url: 'https://man7.org/linux/man-pages/man7/socket.7.html' }],
  },
  {
    id: 'uvloop',
    title: 'uvloop',
    why: "It is an event loop of one Python program: install it and call uvloop.run() there, and measure the program's own latency.",
    sources: [{ title: 'uvloop', url: 'https://github.com/MagicStack/uvloop' }],
  },
  {
    id: 'python-gc',
    title: "Thresholds of Python's garbage collector",
    why: '(700, 10, 10) has long been the default, so that setting it changed nothing; pauses are avoided with gc.freeze() after loading, in the program.',
    sources: [{ title: 'Python, gc', url: 'https://docs.python.org/3/library/gc.html' }],
  },
  {
    id: 'container-gpu-runtime',
    title: 'Container runtime: nvidia',
    why: "It gives one container a graphics processor, which is that container's definition (compose: runtime, or deploy.resources.reservations.devices), and nothing of the network.",
    sources: [COMPOSE],
  },
  {
    id: 'container-no-new-privileges',
    title: 'no-new-privileges of containers',
    why: 'It is a matter of safety in the definition of a container (security_opt), or for all of them in daemon.json, and changes no figure here.',
    sources: [COMPOSE],
  },
  {
    id: 'container-memlock',
    title: 'memlock and stack limits of containers',
    why: 'They belong to the definition of the container that needs them (compose: ulimits); an unlimited memlock for all would let any of them lock the memory of the host.',
    sources: [COMPOSE],
  },
  {
    id: 'ssh-compression',
    title: 'Compression and CompressionLevel of SSH',
    why: 'Compression only slows down on fast networks (ssh(1)); for a slow line ask for it once with ssh -C. CompressionLevel went with protocol 1 and does nothing.',
    sources: [{ title: 'ssh(1), option -C', url: 'https://man.openbsd.org/ssh' }],
  },
  {
    id: 'container-shared-ipc',
    title: 'ipc: container:NAME',
    why: 'It shares memory and semaphores between containers and no network: for loopback between services use network_mode: service:NAME, or a Unix socket.',
    sources: [COMPOSE],
  },
];

/** As settings, so that a profile that asks for one gets an answer instead of an error, and `tune list` shows them. */
export const NOT_SETTING_SETTINGS: readonly Setting<true>[] = NOT_SETTINGS.map(({ id, title, why, sources }) => ({
  id,
  title,
  platforms: ['linux', 'macos'],
  effect: 'none',
  scope: 'user',
  group: id.startsWith('ssh') ? 'ssh' : id.startsWith('container') ? 'containers' : 'tcp',
  needs: { root: false },
  sources,
  why,
  takes: 'anything: it is no setting of a host, and is answered with the reason',
  parse: () => ({ value: true }),
  write: () => 'on',
  plan: (): Promise<readonly Step[]> => Promise.resolve([notDone('not-applicable', why)]),
}));
