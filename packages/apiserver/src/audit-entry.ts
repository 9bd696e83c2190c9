import type { Identity } from './identity.ts';

/** One line of the audit log. Never holds a bearer token, a secret or an object's content. */
export interface AuditEntry {
  /** RFC 3339. */
  readonly time: string;
  readonly id: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly via: Identity['via'];
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly decision: 'allow' | 'deny';
  /** The HTTP status code of the answer. */
  readonly code: number;
  /** resourceVersion before and after. */
  readonly before?: string;
  readonly after?: string;
  /** The fields that changed, as dotted paths; values stay out. */
  readonly changed?: readonly string[];
  readonly dryRun?: true;
  /** What was asked for where the name does not say, as the ports of a forward. */
  readonly detail?: string;
  /** What the client said, or the rule that refused. */
  readonly reason?: string;
  readonly userAgent?: string;
  readonly sourceAddress?: string;
}

/** Where audit entries go; `record` returns before they are written. */
export interface AuditSink {
  record(entry: AuditEntry): void;
  /** Resolves when everything recorded so far would survive SIGKILL of the process. */
  written(): Promise<void>;
}
