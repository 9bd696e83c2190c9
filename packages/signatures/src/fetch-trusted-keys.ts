import { collectBytes, isRecord, TaplineError } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';
import { parseTrustedKeys, type TrustedKeys } from './trusted-keys.ts';

/** Where a control plane serves the public keys of the images that it vouches for. */
export const imageKeysPath = '/gateway/v1/image-keys';

const maxBytes = 64 * 1024;

/** The keys of a control plane. Throws `image_keys_unavailable`, and what the transport throws. */
export async function fetchTrustedKeys(
  transport: HttpTransport,
  { server, signal }: { readonly server: URL; readonly signal?: AbortSignal },
): Promise<TrustedKeys> {
  const url = new URL(imageKeysPath, server);
  const response = await transport.send({ method: 'GET', url, headers: {}, signal });
  const unavailable = (why: string): TaplineError =>
    new TaplineError('image_keys_unavailable', `${url.href} has no keys of images: ${why}`);
  const bytes = await collectBytes(response.body, {
    maxBytes,
    tooLarge: () => unavailable(`the answer exceeds ${maxBytes} bytes`),
  });
  if (response.status !== 200) throw unavailable(`status ${response.status}`);
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new TaplineError('image_keys_unavailable', `${url.href} answers no JSON`, { cause });
  }
  const keys = isRecord(body) ? body['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw unavailable('the answer has no list of keys');
  }
  return parseTrustedKeys(keys);
}
