/** The objects of Harbor's REST API (api/v2.0) that Tapline reads and writes, with its field names. */

export interface HarborProjectRequest {
  readonly project_name: string;
  readonly metadata: { readonly public: 'true' | 'false' };
  /** Bytes; -1 is no limit. */
  readonly storage_limit?: number;
}

export interface HarborProject {
  readonly project_id: number;
  readonly name: string;
  readonly metadata?: { readonly public?: string };
}

export interface HarborAccess {
  readonly resource: string;
  readonly action: string;
}

export interface HarborPermission {
  readonly kind: 'project' | 'system';
  /** The project's name; `/` for the system. */
  readonly namespace: string;
  readonly access: readonly HarborAccess[];
}

export interface HarborRobotRequest {
  readonly name: string;
  readonly description: string;
  readonly level: 'project' | 'system';
  readonly disable: boolean;
  /** Days; -1 is for ever. */
  readonly duration: number;
  readonly permissions: readonly HarborPermission[];
}

export interface HarborRobot extends HarborRobotRequest {
  readonly id: number;
  /** Seconds since the epoch; -1 is never. */
  readonly expires_at?: number;
}

/** What creating a robot account answers; its secret is told this once. */
export interface HarborRobotCreated {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
  readonly expires_at?: number;
}

export interface HarborCredential {
  readonly type: 'basic' | 'oauth';
  readonly access_key: string;
  /** Never told again: Harbor answers asterisks. */
  readonly access_secret: string;
}

export interface HarborRegistryRequest {
  readonly name: string;
  readonly description: string;
  /** The adapter: `harbor`, `docker-registry`, `docker-hub`, … */
  readonly type: string;
  readonly url: string;
  readonly insecure: boolean;
  readonly ca_certificate?: string;
  readonly credential?: HarborCredential;
}

export interface HarborRegistry extends Omit<HarborRegistryRequest, 'credential'> {
  readonly id: number;
  readonly status?: string;
  readonly credential?: Partial<HarborCredential>;
}

export interface HarborRegistryUpdate {
  readonly description: string;
  readonly url: string;
  readonly insecure: boolean;
  readonly ca_certificate?: string;
  readonly credential_type?: string;
  readonly access_key?: string;
  readonly access_secret?: string;
}

export interface HarborFilter {
  readonly type: 'name' | 'tag' | 'label' | 'resource';
  readonly value: string | readonly string[];
  readonly decoration?: 'matches' | 'excludes';
}

export interface HarborTrigger {
  readonly type: 'manual' | 'event_based' | 'scheduled';
  /** Six fields: seconds first. */
  readonly trigger_settings?: { readonly cron?: string };
}

export interface HarborPolicyRequest {
  readonly name: string;
  readonly description: string;
  /** Exactly one of the two is given; the other end is this Harbor. */
  readonly src_registry?: { readonly id: number };
  readonly dest_registry?: { readonly id: number };
  readonly dest_namespace: string;
  readonly dest_namespace_replace_count: number;
  readonly trigger: HarborTrigger;
  readonly filters: readonly HarborFilter[];
  readonly replicate_deletion: boolean;
  readonly override: boolean;
  readonly enabled: boolean;
  /** KB/s; -1 is no limit. */
  readonly speed: number;
}

export interface HarborPolicy extends HarborPolicyRequest {
  readonly id: number;
}

export interface HarborExecution {
  readonly id: number;
  readonly policy_id: number;
  readonly status: string;
  readonly status_text?: string;
  readonly total?: number;
  readonly failed?: number;
  readonly succeed?: number;
  readonly in_progress?: number;
  readonly stopped?: number;
}

export interface HarborTask {
  readonly id: number;
  readonly status: string;
  readonly src_resource?: string;
  readonly dst_resource?: string;
}
