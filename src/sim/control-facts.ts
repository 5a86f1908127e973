import type { HostFacts, HostIdentity, LinkFacts, TcpSettings } from '../base/index.js';
import type { SimProcess } from './control-process.js';

/** Facts of a host that is changed while it is looked at: what drivers and kernel hold now, over what was declared. */
export class SimMachineFacts implements HostFacts {
  readonly interfaces: HostFacts['interfaces'];
  readonly defaultRoutes: HostFacts['defaultRoutes'];
  readonly resolvers: HostFacts['resolvers'];
  readonly routeTo: HostFacts['routeTo'];
  readonly processors: HostFacts['processors'];
  readonly #self: SimProcess;
  readonly #declared: HostFacts;
  readonly #root: boolean;

  constructor(self: SimProcess, options: { readonly declared: HostFacts; readonly root: boolean }) {
    const { declared, root } = options;
    this.#self = self;
    this.#declared = declared;
    this.#root = root;
    this.interfaces = () => this.#alive(() => declared.interfaces());
    this.defaultRoutes = () => this.#alive(() => declared.defaultRoutes());
    this.resolvers = () => this.#alive(() => declared.resolvers());
    this.routeTo = (address) => this.#alive(() => declared.routeTo(address));
    this.processors = () => this.#alive(() => declared.processors());
  }

  async identity(): Promise<HostIdentity> {
    return { ...(await this.#alive(() => this.#declared.identity())), root: this.#root };
  }

  async links(name?: string): Promise<readonly LinkFacts[]> {
    const declared = await this.#alive(() => this.#declared.links(name));
    return declared.map((known) => this.#self.machine.links.get(known.name)?.facts(known) ?? known);
  }

  async tcpSettings(): Promise<TcpSettings> {
    const declared = await this.#alive(() => this.#declared.tcpSettings());
    const text = (key: string): string | undefined => this.#self.machine.values.text(`/proc/sys/net/${key}`);
    const number = (key: string): number | undefined => (text(key) === undefined ? undefined : Number(text(key)));
    const found = {
      receiveBytes: triple(text('ipv4/tcp_rmem')),
      sendBytes: triple(text('ipv4/tcp_wmem')),
      receiveBytesAsked: number('core/rmem_max'),
      sendBytesAsked: number('core/wmem_max'),
      congestion: text('ipv4/tcp_congestion_control'),
      mtuProbing: number('ipv4/tcp_mtu_probing'),
      slowStartAfterIdle: number('ipv4/tcp_slow_start_after_idle') === undefined ? undefined : number('ipv4/tcp_slow_start_after_idle') !== 0,
    };
    return { ...declared, ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<TcpSettings>) };
  }

  #alive<T>(read: () => Promise<T>): Promise<T> {
    return this.#self.look(read).then((answer) => answer);
  }
}

function triple(text: string | undefined): readonly [number, number, number] | undefined {
  const [least, standard, most] = text?.split(/\s+/).map(Number) ?? [];
  return least === undefined || standard === undefined || most === undefined ? undefined : [least, standard, most];
}
