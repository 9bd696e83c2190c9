import { errorMessage, TaplineError } from '@tapline/base';
import type { StatusError } from '@tapline/resources';

/**
 * What a failure means for the attempt: `retry` soon and again, `blocked` until something else on
 * the device changes, or `permanent` for this revision.
 */
export interface InstallFailure {
  readonly kind: 'retry' | 'blocked' | 'permanent';
  readonly error: StatusError;
}

// The network, or the other end of it: no verdict on the image.
const unreachable = new Set([
  'registry_unreachable',
  'registry_error',
  'unavailable',
  'too_many_requests',
  'signing_keys_unknown',
  // Its port comes with the next word of the control plane.
  'segment_port_missing',
  'helper_gone',
  'port_holder_gone',
]);

// May come right, as when a registry is still being filled; after some tries it is believed.
const doubtful = new Set([
  'digest_mismatch',
  'manifest_unknown',
  'blob_unknown',
  'signature_missing',
  'signature_invalid',
  'registry_unauthorized',
  'registry_denied',
  // Whoever has it may be leaving.
  'port_in_use',
]);

const doubtfulTries = 3;

/** Judges what a step threw; `tries` counts how often in a row the attempt has failed before. */
export function judgeFailure(thrown: unknown, tries: number): InstallFailure {
  const error = statusError(thrown);
  if (error.code === 'insufficient_storage') return { kind: 'blocked', error };
  if (unreachable.has(error.code)) return { kind: 'retry', error };
  if (doubtful.has(error.code)) {
    return { kind: tries + 1 < doubtfulTries ? 'retry' : 'permanent', error };
  }
  // A fault that has no code of ours is of this machine, such as EIO.
  if (!(thrown instanceof TaplineError)) return { kind: 'retry', error };
  return { kind: 'permanent', error };
}

function statusError(thrown: unknown): StatusError {
  const message = errorMessage(thrown).slice(0, 4096);
  if (!(thrown instanceof TaplineError)) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    // The disk was fuller than its free blocks said: the same to the reader.
    if (code === 'ENOSPC') return { code: 'insufficient_storage', message };
    return { code: 'internal_error', message };
  }
  const { code, hint } = thrown;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
