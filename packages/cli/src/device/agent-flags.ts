import {
  durationFlag,
  type Flag,
  integerFlag,
  listFlag,
  textFlag,
  textFlagWithDefault,
} from '../framework/flag.ts';

const runtimes = [
  'runc',
  'wasm',
  'unconfined',
  'apple-container',
  'colima',
  'podman-machine',
] as const;

/** How an agent runs; `join` and `agent` have these. */
export const agentFlags: {
  readonly data: Flag<string | undefined>;
  readonly runtime: Flag<string>;
  readonly datapath: Flag<string>;
  readonly fabricHelper: Flag<string | undefined>;
  readonly directives: Flag<string>;
  readonly metricsPort: Flag<number>;
  readonly pushMetrics: Flag<number>;
  readonly servicesPort: Flag<number>;
  readonly quota: Flag<number>;
  readonly edge: Flag<string | undefined>;
  readonly edgeUrl: Flag<string | undefined>;
  readonly edgeTls: Flag<string | undefined>;
  readonly edgeCertificate: Flag<string | undefined>;
  readonly edgeKey: Flag<string | undefined>;
  readonly edgeMemory: Flag<string>;
  readonly edgeDisk: Flag<string>;
  readonly edgeUser: Flag<string>;
  readonly files: Flag<string | undefined>;
  readonly allowForward: Flag<readonly string[]>;
  readonly allowReverse: Flag<readonly string[]>;
  readonly logLevel: Flag<string>;
} = {
  data: textFlag('Where it keeps identity, images and state', {
    valueName: 'DIR',
    environment: 'TAPLINE_AGENT_DATA',
  }),
  runtime: textFlagWithDefault(
    'What confines programs; wasm runs those for arm64 on any machine, the last three are for Macs and not tried on one yet, unconfined is no isolation at all',
    {
      choices: runtimes,
      default: 'runc',
      environment: 'TAPLINE_RUNTIME',
    },
  ),
  datapath: textFlagWithDefault('Who switches frames of segments on a node', {
    choices: ['auto', 'kernel', 'kernel-vlans', 'user-space', 'sockets'],
    default: 'auto',
    environment: 'TAPLINE_DATAPATH',
  }),
  fabricHelper: textFlag(
    'Socket of the process that changes the network of a node as root, for an agent that is not root; absent it starts one',
    { valueName: 'SOCKET', environment: 'TAPLINE_FABRIC_HELPER' },
  ),
  directives: textFlagWithDefault(
    'How it hears of its Installs within the tunnel: a watch of the API, or calls, which take 5 MiB more',
    {
      choices: ['watch', 'calls'],
      default: 'watch',
      environment: 'TAPLINE_DIRECTIVES',
    },
  ),
  metricsPort: integerFlag('Loopback port of /metrics, /healthz and /readyz; 0 takes a free one', {
    min: 0,
    max: 65_535,
    default: 0,
  }),
  pushMetrics: durationFlag(
    'How often it sends its metrics through the tunnel, where the control plane takes them; 0s never',
    { default: '30s' },
  ),
  servicesPort: integerFlag(
    'Loopback port at which programs reach registry.tapline, api.tapline and metrics.tapline; -1 is none, 0 a free one',
    { min: -1, max: 65_535, default: -1 },
  ),
  quota: integerFlag('Most MiB that images may use; 0 is what the disk has', {
    min: 0,
    max: 1_073_741_824,
    default: 0,
  }),
  edge: textFlag('Where a node serves channels to players; absent it serves none', {
    valueName: 'HOST:PORT',
    environment: 'TAPLINE_EDGE',
  }),
  edgeUrl: textFlag('Where players reach that, behind a proxy or another address', {
    valueName: 'URL',
    environment: 'TAPLINE_EDGE_URL',
  }),
  edgeTls: textFlag('Where it serves them by TLS as well; --edge-url is then its https address', {
    valueName: 'HOST:PORT',
    environment: 'TAPLINE_EDGE_TLS',
  }),
  edgeCertificate: textFlag(
    'The certificate chain for that, PEM; one that is renewed is taken up within seconds',
    { valueName: 'FILE', environment: 'TAPLINE_EDGE_CERTIFICATE' },
  ),
  edgeKey: textFlag('Its key, PEM', { valueName: 'FILE', environment: 'TAPLINE_EDGE_KEY' }),
  edgeMemory: textFlagWithDefault('Bytes of channels kept in memory', {
    valueName: 'SIZE',
    default: '256MB',
  }),
  edgeDisk: textFlagWithDefault('Bytes of channels kept on disk', {
    valueName: 'SIZE',
    default: '10GB',
  }),
  edgeUser: textFlagWithDefault(
    'User and group, by number, that the edge cache runs as where the agent is root',
    { valueName: 'UID:GID', default: '61840:61840' },
  ),
  files: textFlag('The one folder whose files `tapline cp` may read and write; absent none', {
    valueName: 'DIR',
    environment: 'TAPLINE_FILES',
  }),
  allowForward: listFlag(
    'Ports of its loopback interface that `tapline forward` may reach: 80, 8000-8999 or all; absent none',
    { valueName: 'PORTS', environment: 'TAPLINE_ALLOW_FORWARD' },
  ),
  allowReverse: listFlag(
    'Ports of its loopback interface at which `tapline forward` may listen with --reverse; absent none',
    { valueName: 'PORTS', environment: 'TAPLINE_ALLOW_REVERSE' },
  ),
  logLevel: textFlagWithDefault('How much it logs, on standard error', {
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'warn',
    environment: 'TAPLINE_LOG_LEVEL',
  }),
};

export interface AgentFlagValues {
  readonly data: string | undefined;
  readonly runtime: string;
  readonly datapath: string;
  readonly fabricHelper: string | undefined;
  readonly directives: string;
  readonly metricsPort: number;
  readonly pushMetrics: number;
  readonly servicesPort: number;
  readonly quota: number;
  readonly edge: string | undefined;
  readonly edgeUrl: string | undefined;
  readonly edgeTls: string | undefined;
  readonly edgeCertificate: string | undefined;
  readonly edgeKey: string | undefined;
  readonly edgeMemory: string;
  readonly edgeDisk: string;
  readonly edgeUser: string;
  readonly files: string | undefined;
  readonly allowForward: readonly string[];
  readonly allowReverse: readonly string[];
  readonly logLevel: string;
}

export function runtimeOf({ runtime }: { readonly runtime: string }): (typeof runtimes)[number] {
  return runtimes.find((name) => name === runtime) ?? 'runc';
}
