import { TaplineError } from '@tapline/base';

/** `offset` is that of the header concerned, in bytes from the start of the archive. */
export function tarError(
  code: 'tar_corrupt' | 'tar_truncated' | 'tar_unsupported',
  what: string,
  offset: number,
): TaplineError {
  return new TaplineError(code, `${what}, in the tar entry at byte ${offset}`, {
    details: { offset },
  });
}
