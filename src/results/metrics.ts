/**
 * What a metric is called by people: `rtt.loaded.up` is "round trip under upload". A metric that has no name
 * of its own is shown as it is, so that a new one needs no entry to be readable.
 */
export function metricName(metric: string): string {
  return Object.hasOwn(METRIC_NAMES, metric) ? (METRIC_NAMES[metric] ?? metric) : metric;
}

const METRIC_NAMES: Readonly<Record<string, string>> = {
  rtt: 'round trip',
  'rtt.idle': 'round trip idle',
  'rtt.loaded.up': 'round trip under upload',
  'rtt.loaded.down': 'round trip under download',
  'rtt.loaded.both': 'round trip under load',
  connect: 'TCP connect',
  dns: 'DNS lookup',
  'dns.system': 'name lookup by the system',
  tls: 'TLS handshake',
  'tls.total': 'TCP connect and TLS handshake',
  'http.dns': 'HTTP: name lookup',
  'http.connect': 'HTTP: connect',
  'http.tls': 'HTTP: TLS',
  'http.ttfb': 'HTTP: first byte',
  'http.total': 'HTTP: whole',
  'http.keepalive.ttfb': 'HTTP kept open: first byte',
  'http.keepalive.total': 'HTTP kept open: whole',
  mtu: 'path MTU',
  'mtu.up': 'path MTU up',
  'mtu.down': 'path MTU down',
  'throughput.up': 'throughput up',
  'throughput.down': 'throughput down',
  'throughput.both': 'throughput both ways',
  'udp.up': 'UDP goodput up',
  'udp.down': 'UDP goodput down',
  'jitter.up': 'jitter up',
  'jitter.down': 'jitter down',
  'loss.up': 'loss up',
  'loss.down': 'loss down',
  ssh: 'SSH login',
  'ssh.connect': 'SSH: TCP connect',
  'ssh.banner': 'SSH: server identifies itself',
  'ssh.kex': 'SSH: key exchange',
  'ssh.multiplexed': 'SSH: command over a running master',
  'docker.api': 'container engine: answer',
  'docker.connect': 'container service: TCP connect',
  'docker.ttfb': 'container service: first byte',
  tailscale: 'round trip in the tailnet',
  'tailscale.large': 'full-size packets in the tailnet',
  link: 'link speed',
  trace: 'round trip at the end of the trace',
  responsiveness: 'responsiveness',
  'responsiveness.down': 'responsiveness under download',
  'responsiveness.up': 'responsiveness under upload',
};
