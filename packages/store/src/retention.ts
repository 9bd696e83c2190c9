import type { Retention } from './store.ts';

/** Minutes of history for a busy fleet, in tens of megabytes. */
export const defaultRetention: Retention = { revisions: 50_000, bytes: 64 * 2 ** 20 };
