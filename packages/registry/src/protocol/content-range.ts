import { TaplineError } from '@tapline/base';

/**
 * The `Content-Range` of an upload chunk, `<start>-<end>` with both inclusive and without a unit
 * (OCI distribution 1.1, "Pushing a blob in chunks"); the form with `bytes` is taken too. `end` of
 * the result is exclusive. Throws `blob_upload_invalid`.
 */
export function parseContentRange(header: string): {
  readonly start: number;
  readonly end: number;
} {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\*|\d+))?$/.exec(header);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]) + 1;
  if (match === null || end <= start) {
    throw new TaplineError(
      'blob_upload_invalid',
      `content range ${JSON.stringify(header.slice(0, 80))} is not <start>-<end>`,
    );
  }
  return { start, end };
}
