/** What is to be in a Harbor: one project with its accounts, and what is replicated where. */
export interface DesiredHarbor {
  readonly project: {
    readonly name: string;
    readonly public: boolean;
    /** Bytes; absent nothing is said about it. */
    readonly storageLimit?: number;
  };
  readonly robots: readonly DesiredRobot[];
  readonly registries: readonly DesiredRegistry[];
  readonly policies: readonly DesiredPolicy[];
}

/** An account of the project, for a device or a program. */
export interface DesiredRobot {
  /** Without Harbor's prefix: `robot$tools+edge-1` is `edge-1`. */
  readonly name: string;
  readonly may: 'pull' | 'pull-and-push';
  /** How long it is good for, in whole days; absent for ever. */
  readonly days?: number;
}

/** Another registry that Harbor knows. */
export interface DesiredRegistry {
  readonly name: string;
  /** Harbor's name of the adapter: `harbor`, `docker-registry`, `docker-hub`, … */
  readonly type: string;
  readonly url: string;
  readonly insecure: boolean;
  readonly caPem?: string;
  readonly credential?: { readonly username: string; readonly password: string };
}

/** What Harbor copies between itself and another registry. */
export interface DesiredPolicy {
  readonly name: string;
  readonly direction: 'push' | 'pull';
  /** A name of `registries`. */
  readonly registry: string;
  /** Patterns of Harbor: `tools/**`. */
  readonly repositories: string;
  readonly tags?: string;
  readonly labels?: readonly string[];
  readonly destination: string;
  readonly trigger:
    | { readonly kind: 'manual' }
    | { readonly kind: 'on-push' }
    | { readonly kind: 'scheduled'; readonly cron: string };
  readonly deletion: boolean;
  /** Absent is no limit. */
  readonly kilobytesPerSecond?: number;
}

/** Stands at the start of the description of what Tapline made; only that is ever deleted. */
export const ownedMark = 'managed by Tapline';
