import type { HostControl, Ports } from '../base/index.js';
import { SimAccess } from './control-access.js';
import type { SimUser } from './control-access.js';
import { SimMachineFacts } from './control-facts.js';
import { SimProcessFiles } from './control-files.js';
import { SimMachine } from './control-machine.js';
import type { MachineSpec } from './control-machine.js';
import { SimProcess } from './control-process.js';
import type { DyingWrite } from './control-process.js';
import { SimProgramCommands, nft } from './control-programs.js';
import type { SimProgram } from './control-programs.js';
import { SimSocketWeb } from './control-sockets.js';
import type { SocketService } from './control-sockets.js';
import { SimControl } from './control.js';
import { SimNetwork } from './network.js';
import type { HostSpec, Scenario } from './scenario.js';
import type { RunOptions } from './timeline.js';

/** A host that can be tuned: as data, but for programs and services that keep something. */
export interface TuneHostSpec extends Omit<MachineSpec, 'interfaces'> {
  readonly name: string;
  /** What `HostFacts` tells: addresses, interfaces, routes, resolvers, processors. */
  readonly host: Omit<HostSpec, 'files' | 'commands'>;
  /** Other hosts and paths to them, for what measures. */
  readonly network?: Partial<Omit<Scenario, 'hosts'>> & { readonly hosts?: Scenario['hosts'] };
  /** Programs by name; `nft` is there unless it is named here as undefined. */
  readonly programs?: Readonly<Record<string, SimProgram | undefined>>;
  /** Services on Unix sockets, by path. */
  readonly services?: Readonly<Record<string, SocketService>>;
  /** Whose processes these are. Default: root. */
  readonly user?: SimUser;
}

/** The ports of one process on the host; `control` among them. */
export type TuneHostPorts = Ports & { readonly control: HostControl };

/** A process on the host, with its own life. */
export interface SimTuneProcess {
  readonly process: SimProcess;
  readonly ports: TuneHostPorts;
  readonly control: SimControl;
  readonly commands: SimProgramCommands;
  readonly access: SimAccess;
}

/** A simulated host on which things are changed, and one process that does it and may be killed at any of its writes. */
export class SimTuneHost implements SimTuneProcess {
  readonly network: SimNetwork;
  readonly machine: SimMachine;
  readonly process: SimProcess;
  readonly ports: TuneHostPorts;
  readonly control: SimControl;
  readonly commands: SimProgramCommands;
  readonly access: SimAccess;
  readonly #spec: TuneHostSpec;

  constructor(spec: TuneHostSpec) {
    this.#spec = spec;
    const { hosts, paths = [], ...rest } = spec.network ?? {};
    this.network = new SimNetwork({ ...rest, paths, hosts: { ...hosts, [spec.name]: spec.host } });
    const { clock } = this.network.host(spec.name);
    this.machine = new SimMachine({ ...spec, interfaces: spec.host.interfaces ?? [] }, () => clock.wallNs());
    ({ process: this.process, ports: this.ports, control: this.control, commands: this.commands, access: this.access } = this.startProcess());
  }

  /** Another process on the same host, such as a second `tune apply` or a guard: it has its own locks and its own death. */
  startProcess(user: SimUser = this.#spec.user ?? { ownerId: 0, groupId: 0 }): SimTuneProcess {
    const process = new SimProcess(this.machine);
    const access = new SimAccess(this.machine, user);
    const { root } = access;
    const programs = new Map(
      Object.entries({ nft, ...this.#spec.programs }).flatMap(([name, program]) => (program ? [[name, program] as const] : [])),
    );
    const commands = new SimProgramCommands(process, { root, programs });
    const control = new SimControl(process, access);
    const host = this.network.host(this.#spec.name);
    const ports: TuneHostPorts = {
      ...host.ports,
      files: new SimProcessFiles(process, access),
      facts: new SimMachineFacts(process, { declared: host.ports.facts, root }),
      web: new SimSocketWeb(process, { network: host.ports.web, root, services: new Map(Object.entries(this.#spec.services ?? {})) }),
      commands,
      control,
    };
    return { process, ports, control, commands, access };
  }

  /** Lets virtual time pass until the work is done; needed only where it sleeps or speaks over the network. */
  run<T>(work: Promise<T> | (() => Promise<T>), options?: RunOptions): Promise<T> {
    return this.network.run(work, options);
  }

  /** Everything that can be told of the host; see `SimMachine`. `without`: folders that do not count, such as the journal's. */
  snapshot(options?: { readonly without?: readonly string[] }): string {
    return this.machine.snapshot(options);
  }

  /** The process dies at its n-th write from now (the first is 1): `whole` once that has happened, `half` in the middle of it. */
  dieAfter(writes: number, how?: DyingWrite): void {
    this.process.dieAfter(writes, how);
  }

  /** The program is started again. */
  revive(): void {
    this.process.revive();
  }

  /** The host loses its current, starts again, and so does the program. */
  powerCut(): void {
    this.machine.powerCut();
    this.process.revive();
  }

  /** An orderly new start of the host, and of the program. */
  reboot(): void {
    this.machine.reboot();
    this.process.revive();
  }

  /** Room for the bytes of all files. */
  set capacityBytes(bytes: number) {
    this.machine.tree.capacityBytes = bytes;
  }

  get capacityBytes(): number {
    return this.machine.tree.capacityBytes;
  }

  /** Bytes of all files now. */
  get usedBytes(): number {
    return this.machine.tree.usedBytes();
  }
}

export function simTuneHost(spec: TuneHostSpec): SimTuneHost {
  return new SimTuneHost(spec);
}
