import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { HttpClient } from '../../packages/client/src/index.ts';
import { formatJoinToken } from '../../packages/gateway/src/index.ts';
import { tokenResource } from '../../packages/resources/src/index.ts';

/** A token that lets that many devices join. */
export async function createJoinToken(
  client: HttpClient,
  { uses, ca }: { readonly uses: number; readonly ca: string },
): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  const name = `bench-${randomBytes(4).toString('hex')}`;
  await client.create(tokenResource, {
    metadata: { name },
    spec: {
      purpose: 'Join',
      role: 'device',
      uses,
      hash: createHash('sha256').update(secret).digest('hex'),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      extraLabels: 'Allow',
    },
  });
  const caFingerprint = createHash('sha256')
    .update(new X509Certificate(ca).raw)
    .digest('base64url');
  return formatJoinToken({ name, secret, caFingerprint });
}
