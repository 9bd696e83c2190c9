import type { Measurement } from './result.ts';

interface Benchmark {
  readonly description: string;
  /** `only`: parts of it, where it has some. */
  readonly run: (only: readonly string[]) => Promise<Measurement>;
}

/** Every benchmark by name; each file is loaded only when it runs. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  api: {
    description: "durable creates, fan-out of watches and status writes, beside etcd's gateway",
    run: async () => await (await import('./api.ts')).benchmarkApi(),
  },
  brew2oci: {
    description:
      "building git's image, beside decompressing its bottles; planning all of homebrew-core",
    run: async () => await (await import('./brew2oci.ts')).benchmarkBrew2oci(),
  },
  cache: {
    description:
      'the edge cache beside nginx and Varnish; blocking reloads, hit ratios, ten million objects',
    run: async (only) => await (await import('./cache.ts')).benchmarkCache(only),
  },
  deploy: {
    description:
      'deliveries end to end, beside runc and podman; a thousand devices; the command line',
    run: async () => await (await import('./deploy.ts')).benchmarkDeploy(),
  },
  monitoring: {
    description:
      'hosts registered in Icinga 2 and kept in step, beside a request per object; what OpsBot and metrics of devices take',
    run: async (only) => await (await import('./monitoring.ts')).benchmarkMonitoring(only),
  },
  registry: {
    description: "pulls, pushes and garbage collection, beside Debian's docker-registry",
    run: async () => await (await import('./registry.ts')).benchmarkRegistry(),
  },
  runtimes: {
    description: 'starting a prepared container, beside bare runc',
    run: async () => await (await import('./runtimes.ts')).benchmarkRuntimes(),
  },
  segments: {
    description:
      'segments: a node with thousands of them, throughput; the switch and MACsec in user space',
    run: async (only) => await (await import('./segments.ts')).benchmarkSegments(only),
  },
  tunnel: {
    description:
      'pings beside blobs on shaped paths and in AnyConnect, resume; beside http2, yamux, ssh',
    run: async (only) => await (await import('./tunnel.ts')).benchmarkTunnel(only),
  },
  'tunnel-fleet': {
    description: 'ten thousand idle tunnels on one gateway, and all of them coming back at once',
    run: async () => await (await import('./tunnel-fleet.ts')).benchmarkTunnelFleet(),
  },
  wasm: {
    description: 'arm64 programs translated to WebAssembly, beside qemu and native code',
    run: async (only) => await (await import('./wasm.ts')).benchmarkWasm(only),
  },
};
