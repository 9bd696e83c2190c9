import { isTaplineError } from '@tapline/base';

/** What the shell is told; `docs/reference/exit-codes.md` derives from `exitCodeMeanings`. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notReady: 4,
  timedOut: 5,
  unreachable: 6,
  denied: 7,
  interrupted: 130,
} as const;

export const exitCodeMeanings: Readonly<Record<keyof typeof exitCode, string>> = {
  ok: 'done',
  failed: 'failed for a reason that no other code names',
  usage: 'the command line or a file given on it is not valid',
  notFound: 'an object, formula or version does not exist',
  notReady: 'a delivery ended with devices that failed or rolled back',
  timedOut: 'what was waited for did not happen in the time given',
  unreachable: 'the control plane, the registry or Homebrew could not be reached',
  denied: 'not logged in, or not allowed',
  interrupted: 'stopped by Ctrl-C or SIGTERM',
};

const byCode: Readonly<Record<string, keyof typeof exitCode>> = {
  usage: 'usage',
  invalid: 'usage',
  bad_request: 'usage',
  ports_invalid: 'usage',
  invalid_manifest: 'usage',
  token_malformed: 'usage',
  reference_invalid: 'usage',
  digest_invalid: 'usage',
  device_name_invalid: 'usage',
  not_found: 'notFound',
  formula_not_found: 'notFound',
  file_not_found: 'notFound',
  manifest_unknown: 'notFound',
  name_unknown: 'notFound',
  blob_unknown: 'notFound',
  layout_unknown: 'notFound',
  version_not_found: 'notFound',
  not_ready: 'notReady',
  timed_out: 'timedOut',
  unreachable: 'unreachable',
  unavailable: 'unreachable',
  no_control_plane: 'unreachable',
  gateway_unreachable: 'unreachable',
  homebrew_unreachable: 'unreachable',
  registry_unreachable: 'unreachable',
  upstream_unreachable: 'unreachable',
  icinga_unreachable: 'unreachable',
  device_offline: 'unreachable',
  unauthorized: 'denied',
  forbidden: 'denied',
  ca_mismatch: 'denied',
  registry_unauthorized: 'denied',
  registry_denied: 'denied',
  icinga_unauthorized: 'denied',
  icinga_denied: 'denied',
  token_unknown: 'denied',
  token_expired: 'denied',
  token_used: 'denied',
  device_name_taken: 'denied',
  device_revoked: 'denied',
  forward_denied: 'denied',
  interrupted: 'interrupted',
};

export function exitCodeOf(error: unknown): number {
  return exitCode[isTaplineError(error) ? (byCode[error.code] ?? 'failed') : 'failed'];
}
