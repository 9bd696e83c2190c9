import { concatBytes } from './concat-bytes.ts';

/** All of `chunks`. Throws what `tooLarge` makes as soon as they are more than `maxBytes`. */
export async function collectBytes(
  chunks: AsyncIterable<Uint8Array>,
  limit: { readonly maxBytes: number; readonly tooLarge: () => Error },
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit.maxBytes) throw limit.tooLarge();
    parts.push(chunk);
  }
  return concatBytes(parts);
}
