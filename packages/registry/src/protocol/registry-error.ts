import { TaplineError } from '@tapline/base';

/** Code of an error answer, OCI distribution 1.1 "Error Codes", with its status. */
export interface RegistryErrorAnswer {
  readonly status: number;
  readonly code: string;
}

// Our codes, the specification's, and the status. Anything else is a failure of the server.
const answers: Readonly<Record<string, RegistryErrorAnswer>> = {
  blob_in_use: { status: 405, code: 'UNSUPPORTED' },
  blob_unknown: { status: 404, code: 'BLOB_UNKNOWN' },
  blob_upload_invalid: { status: 400, code: 'BLOB_UPLOAD_INVALID' },
  blob_upload_busy: { status: 409, code: 'BLOB_UPLOAD_INVALID' },
  blob_upload_range: { status: 416, code: 'BLOB_UPLOAD_INVALID' },
  blob_upload_unknown: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
  digest_invalid: { status: 400, code: 'DIGEST_INVALID' },
  digest_mismatch: { status: 400, code: 'DIGEST_INVALID' },
  manifest_blob_unknown: { status: 404, code: 'MANIFEST_BLOB_UNKNOWN' },
  manifest_invalid: { status: 400, code: 'MANIFEST_INVALID' },
  manifest_unsupported: { status: 400, code: 'MANIFEST_INVALID' },
  manifest_too_large: { status: 413, code: 'MANIFEST_INVALID' },
  manifest_unknown: { status: 404, code: 'MANIFEST_UNKNOWN' },
  name_invalid: { status: 400, code: 'NAME_INVALID' },
  name_unknown: { status: 404, code: 'NAME_UNKNOWN' },
  quota_exceeded: { status: 403, code: 'DENIED' },
  size_invalid: { status: 400, code: 'SIZE_INVALID' },
  storage_full: { status: 507, code: 'INSUFFICIENT_STORAGE' },
  tag_invalid: { status: 400, code: 'TAG_INVALID' },
  unauthorized: { status: 401, code: 'UNAUTHORIZED' },
  denied: { status: 403, code: 'DENIED' },
  unsupported: { status: 405, code: 'UNSUPPORTED' },
  route_unknown: { status: 404, code: 'UNSUPPORTED' },
  too_many_uploads: { status: 429, code: 'TOOMANYREQUESTS' },
};

/** What to answer for `error`, or undefined where it is none of the client's doing. */
export function registryErrorAnswer(error: unknown): RegistryErrorAnswer | undefined {
  return error instanceof TaplineError ? answers[error.code] : undefined;
}
