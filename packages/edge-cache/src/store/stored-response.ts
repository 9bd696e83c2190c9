import type { HeaderFields } from '../rfc/header-fields.ts';
import type { ContentRange } from '../rfc/byte-range.ts';
import type { DiskBody } from './disk-body.ts';

/** Everything of a kept response but its body. */
export interface StoredHead {
  /** The full key, variant included: compared whenever something is found by a hash of it. */
  readonly key: string;
  readonly status: number;
  /** Without those of one hop and those that are not to be kept. */
  readonly fields: HeaderFields;
  readonly responseTimeMs: number;
  /** How old it was when it came, in ms. */
  readonly initialAgeMs: number;
  readonly lifetimeMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Never used stale, whatever else says so. */
  readonly mustRevalidate: boolean;
  /** Checked with the origin before each use. */
  readonly alwaysRevalidate: boolean;
  /** It says that it is for all, also for who shows credentials. */
  readonly forAuthorized: boolean;
  readonly tags: readonly string[];
  /** The number of the newest purge when its request to the origin was sent. */
  readonly generation: number;
  /** Which part of the whole the body is; undefined for a whole one. */
  readonly part: ContentRange | undefined;
}

/** A kept response in memory. */
export interface StoredResponse {
  readonly head: StoredHead;
  readonly body: Buffer;
}

/** A kept response, wherever its body is. */
export interface KeptResponse {
  readonly head: StoredHead;
  readonly body: Buffer | DiskBody;
}

/** The age of a stored response now, in ms (RFC 9111 §4.2.3). */
export function currentAgeMs(head: StoredHead, nowMs: number): number {
  return head.initialAgeMs + Math.max(0, nowMs - head.responseTimeMs);
}

export function freshForMs(head: StoredHead, nowMs: number): number {
  return head.lifetimeMs - currentAgeMs(head, nowMs);
}
