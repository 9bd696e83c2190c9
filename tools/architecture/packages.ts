/** Where a package stands; imports go to the same tier or downwards. */
export interface PackageEntry {
  readonly tier: 0 | 1 | 2 | 3;
  /** Pure: no sockets, files, processes or clocks of its own; compiles without Node's types. */
  readonly pure: boolean;
  /** Why it is a package of its own, and why in this tier. */
  readonly reason: string;
  /** Imported by tests and nothing else. */
  readonly onlyTests?: true;
}

export const packages: Readonly<Record<string, PackageEntry>> = {
  base: { tier: 0, pure: true, reason: 'everything else speaks in its errors, clocks and logs' },
  resources: {
    tier: 1,
    pure: true,
    reason: 'kinds are data; server, clients and docs derive from them',
  },
  oci: {
    tier: 1,
    pure: true,
    reason: 'formats only, so that agent, registry and builder agree on bytes',
  },
  elf: { tier: 1, pure: true, reason: 'bytes in, bytes out; fuzzed without a file system' },
  a64: {
    tier: 1,
    pure: true,
    reason: 'instructions in, effects on bytes out; the same in Node, browsers and workers',
  },
  brew: {
    tier: 1,
    pure: true,
    reason: "Homebrew's rules as functions, planned over all of homebrew-core",
  },
  segments: {
    tier: 1,
    pure: true,
    reason: 'policy, plan and proof over data; the proof must not depend on who applies it',
  },
  hls: {
    tier: 1,
    pure: true,
    reason:
      'playlists and their rules; the same for edges, for who checks a channel and for players',
  },
  telemetry: {
    tier: 1,
    pure: true,
    reason:
      'metrics and traces as bytes; agents, control plane and command line must agree on them',
  },
  tunnel: {
    tier: 1,
    pure: true,
    reason: 'bytes and times in, bytes out; the same session in Node and in a browser',
  },
  store: { tier: 2, pure: false, reason: 'files and fsync behind one contract' },
  apiserver: {
    tier: 2,
    pure: false,
    reason: 'the Kubernetes wire protocol; knows no kind of ours',
  },
  client: {
    tier: 2,
    pure: false,
    reason: 'reconcilers must not know whether the API is in process',
  },
  reconcile: { tier: 2, pure: false, reason: 'the loop, without what it reconciles' },
  registry: { tier: 2, pure: false, reason: 'blobs on disk and the distribution protocol' },
  signatures: {
    tier: 2,
    pure: false,
    reason: 'keys on disk; who signs and who verifies must agree, and a device has no builder',
  },
  builder: {
    tier: 2,
    pure: false,
    reason: 'fetches and files for what brew plans; used by CLI and control plane',
  },
  gateway: { tier: 2, pure: false, reason: 'who gets in, and the way back to devices' },
  profiles: {
    tier: 2,
    pure: false,
    reason: "keys and signatures; what Apple's devices take, known in one place",
  },
  runtimes: { tier: 2, pure: false, reason: 'processes and root file systems behind one contract' },
  fabric: {
    tier: 2,
    pure: false,
    reason: "links, rules, keys and frames of a node; what they are to be is segments' to say",
  },
  'edge-cache': {
    tier: 2,
    pure: false,
    reason: 'HTTP caching behind one contract; knows no channel resource and no node',
  },
  userland: {
    tier: 2,
    pure: true,
    reason: 'what a kernel is to a guest; knows instructions only as what makes system calls',
  },
  monitoring: {
    tier: 2,
    pure: false,
    reason: "what is deployed, in the words of other people's monitoring; knows no kind of ours",
  },
  opsbot: {
    tier: 2,
    pure: false,
    reason: 'what is decided about faults, and done; hears of monitoring and tunnels as data',
  },
  'control-plane': { tier: 3, pure: false, reason: 'a program: wires and runs' },
  agent: { tier: 3, pure: false, reason: 'a program: wires and runs, on the device' },
  'guest-page': {
    tier: 3,
    pure: false,
    reason: 'a program of browsers: wires a guest to a worker, a terminal and HTTP',
  },
  'web-agent': {
    tier: 3,
    pure: false,
    reason: "a program: the agent's core in a browser's page, which has no processes and no files",
  },
  'ops-console': {
    tier: 3,
    pure: false,
    reason: 'a program of browsers: what OpsBot does, for people; decides nothing',
  },
  cli: { tier: 3, pure: false, reason: 'a program: starts the other two on demand' },
  testing: { tier: 0, pure: false, reason: 'what tests start and clean up', onlyTests: true },
};
