import type { Platform } from '@tapline/oci';

/** What is copied between the registry and another, and when. */
export interface ReplicationPolicy {
  readonly name: string;
  /** `push` is to the other registry, `pull` from it. */
  readonly direction: 'push' | 'pull';
  /** Patterns of repositories at the source; `!` before one excludes. */
  readonly repositories: readonly string[];
  /** Patterns of tags; all where empty. */
  readonly tags: readonly string[];
  /** Of indexes only these; all where left out. */
  readonly platforms?: readonly Platform[];
  /** Only images that have all of these, as annotations or as labels of their configuration. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Stands before the repository's name at the destination: `mirror/`. */
  readonly prefix: string;
  /** Whether what refers to an image comes along. */
  readonly referrers: boolean;
  /** Whether tags that were copied are deleted where they are deleted at the source. */
  readonly deletion: boolean;
  /** Of pushes: when something was pushed here. */
  readonly onPush: boolean;
  readonly everyMs?: number;
  readonly bytesPerSecond?: number;
}
