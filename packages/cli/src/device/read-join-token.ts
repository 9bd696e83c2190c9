import { collectBytes, errorMessage, TaplineError } from '@tapline/base';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

// A join token has some 130 characters; whatever is longer is another file.
const maxBytes = 4096;

/**
 * The join token, from where it was put: as a flag or in the environment (`given`), in a file, or on
 * standard input (`-`). Errors: `usage`, `token_unreadable`.
 */
export async function readJoinToken(
  { given, file }: { readonly given: string | undefined; readonly file: string | undefined },
  stdin: Readable,
): Promise<string> {
  // A file was asked for on the command line; a variable may have been there before.
  if (file === undefined) {
    if (given !== undefined) return given;
    throw new TaplineError('usage', 'no join token was given', {
      hint: 'put what `tapline token create` printed in a file for --token-file, or in TAPLINE_TOKEN',
    });
  }
  const name = file === '-' ? 'standard input' : file;
  const chunks = file === '-' ? stdin : createReadStream(file);
  try {
    const bytes = await collectBytes(chunks, {
      maxBytes,
      tooLarge: () => new TaplineError('token_unreadable', `it has more than ${maxBytes} bytes`),
    });
    return new TextDecoder().decode(bytes).trim();
  } catch (cause) {
    const why = errorMessage(cause);
    throw new TaplineError('token_unreadable', `${name} is no join token: ${why}`, { cause });
  }
}
