/** What discovery needs to know of a tailnet; whoever can ask the client hands it over. */
export interface Tailnet {
  readonly self: TailnetHost | undefined;
  readonly peers: readonly TailnetHost[];
}

export interface TailnetHost {
  /** The host's own name, which need not be unique. */
  readonly name: string;
  /** Its name in the tailnet's DNS, unique; empty where it has none. */
  readonly dnsName: string;
  readonly addresses: readonly string[];
  readonly online: boolean;
}

/** The host that a person means: by its whole DNS name, by the first label of it, or by its own name where only one has that. */
export function findTailnetHost(tailnet: Tailnet, text: string): TailnetHost | undefined {
  const wanted = text.toLowerCase().replace(/\.$/, '');
  const byDnsName = tailnet.peers.find(({ dnsName }) => {
    const full = dnsName.toLowerCase().replace(/\.$/, '');
    return full !== '' && (full === wanted || full.split('.')[0] === wanted);
  });
  if (byDnsName) return byDnsName;
  const byName = tailnet.peers.filter(({ name }) => name.toLowerCase() === wanted);
  return byName.length === 1 ? byName[0] : undefined;
}
