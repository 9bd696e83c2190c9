import type { IncomingMessage } from 'node:http';

/** A change of the registry, or an attempt at one, for the audit log. */
export interface RegistryChange {
  /** Who asks is in its headers or its certificate; undefined for what the registry does by itself. */
  readonly request: IncomingMessage | undefined;
  readonly verb: 'push' | 'mount' | 'delete' | 'collect' | 'scrub';
  readonly what: 'blob' | 'manifest' | 'tag' | 'content';
  readonly repository: string | undefined;
  /** Digest or tag. */
  readonly reference: string | undefined;
  /** Those that a manifest was pushed under. */
  readonly tags?: readonly string[];
  /** The status of the answer. */
  readonly code: number;
  readonly reason?: string;
}

/** Takes a change; resolves when the line would survive the process. The answer waits for it. */
export type RegistryAudit = (change: RegistryChange) => Promise<void> | void;
