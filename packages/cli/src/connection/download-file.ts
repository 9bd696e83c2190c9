import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isTaplineError, TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { filePath } from './file-path.ts';
import type { FilePlace } from './file-place.ts';
import { requestPath } from './request-path.ts';

/** Copies a file of a device here; what was there stays until it is whole. */
export async function downloadFile(
  context: KubeconfigContext,
  files: { readonly from: Extract<FilePlace, { kind: 'device' }>; readonly to: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { from, to } = files;
  const response = await requestPath(context, filePath(from, 'file'), { signal });
  const temporary = `${to}.part`;
  try {
    await pipeline(response, createWriteStream(temporary), { signal });
    await rename(temporary, to);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (isTaplineError(cause)) throw cause;
    const message = `${from.device}:${from.path} was not copied to ${to}`;
    throw new TaplineError('file_incomplete', message, { cause });
  }
}
