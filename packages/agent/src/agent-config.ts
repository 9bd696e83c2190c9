import type { Clock, Log, Rng } from '@tapline/base';
import type { ForwardPolicy } from '@tapline/gateway';
import type { Runtime } from '@tapline/runtimes';
import type { EdgeSettings } from './channels/edge-program.ts';

export interface AgentConfig {
  /** Gives memory back; called when there has been nothing to do for a while. */
  readonly collectMemory?: () => void;
  /** State, images and containers; `joinDevice` has been here before. */
  readonly dataDirectory: string;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** `unconfined` isolates nothing; only for devices that have no container runtime. */
  readonly runtime?: Exclude<Runtime['name'], 'none'>;
  /**
   * Who switches frames where this is a node; absent: the kernel, unless it cannot. `kernel-vlans`: in
   * one bridge whose VLANs are the segments, for nodes with very many of them. `sockets`: its ports are
   * sockets that virtual machines are attached to, as always on a Mac.
   */
  readonly datapath?: 'kernel' | 'kernel-vlans' | 'user-space' | 'sockets';
  /** Socket of the process that changes a node's network as root; absent: it is started by the agent. */
  readonly fabricHelper?: string;
  /** Loopback port of /metrics, /healthz and /readyz, 0 for a free one; none where absent. */
  readonly metricsPort?: number;
  /** How often metrics are sent through the tunnel; never where absent or 0. */
  readonly pushMetricsMs?: number;
  /**
   * Loopback port at which programs of this machine reach the control plane by name, 0 for a free one;
   * none where absent.
   */
  readonly servicesPort?: number;
  /** Where this is a node: how it serves channels to players; it serves none unless given. */
  readonly edge?: EdgeSettings;
  /** What the command line of a machine's runtime finds it by, such as HOME and PATH. */
  readonly machineEnvironment?: Readonly<Record<string, string>>;
  /** The one folder whose files users may read and write; none unless given. */
  readonly filesDirectory?: string;
  /**
   * How it hears of its Installs and reports them: as a watch and statuses of the API unless given, or by calls to
   * the gateway, which take 5 MiB more (docs/decisions/0022-tunnel.md). Both are within the tunnel.
   */
  readonly directives?: 'watch' | 'calls';
  /** Which of its ports users may reach, and where it may listen for them; none unless given. */
  readonly forward?: ForwardPolicy;
  /** Bytes to leave free on the disk, and bytes that images may use in all. */
  readonly floorBytes?: number;
  readonly quotaBytes?: number;
}
