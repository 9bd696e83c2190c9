import type { Bottle } from './bottle.ts';
import type { MirrorContent } from './mirror-content.ts';
import { localFileName, type OciRelease } from './oci-release.ts';
import { type ApiRequest, bytesReply, jsonReply, type Reply } from './reply.ts';

/** A reply that carries a bottle, so that faults can find it. */
export interface BlobReply extends Reply {
  readonly bottle?: Bottle;
}

/** ghcr.io hands this token to everyone; brew sends it without asking. */
const anonymousToken = 'QQ==';

/**
 * Answers as ghcr.io does below `/v2/homebrew/core`: nothing without a token, manifests by tag and
 * digest, and blobs by a redirect to storage, which wants no token.
 */
export async function answerRegistry(
  request: ApiRequest,
  content: MirrorContent,
): Promise<BlobReply | undefined> {
  const { path } = request;
  if (path === '/token') return jsonReply(200, { token: anonymousToken });
  const stored = /^\/storage\/([^/]+(?:\/[^/]+)?)\/(sha256:[0-9a-f]{64})$/.exec(path);
  if (stored !== null) {
    return answerBlob(content.formulaOf(stored[1] ?? ''), stored[2] ?? '', content);
  }
  const file = /^\/bottles\/([^/]+)$/.exec(path)?.[1];
  if (file !== undefined) return answerFile(decodeURIComponent(file), content);
  if (path !== '/v2/' && !path.startsWith('/v2/')) return undefined;

  const match = /^\/v2\/homebrew\/core\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
  const [, repository = '', what = '', reference = ''] = match ?? [];
  if (request.headers['authorization'] !== `Bearer ${anonymousToken}`) {
    return unauthorized(request, repository);
  }
  if (path === '/v2/') return jsonReply(200, {});
  const formula = content.formulaOf(repository);
  if (formula === undefined) {
    return registryError(404, 'NAME_UNKNOWN', `repository name not known to registry`);
  }
  if (what === 'manifests') return answerManifest(formula, reference, content);
  if (request.method === 'HEAD') return answerBlob(formula, reference, content);
  const location = `${request.origin}/storage/${repository}/${reference}`;
  return bytesReply(307, Buffer.alloc(0), { location });
}

async function answerManifest(
  formula: string,
  reference: string,
  content: MirrorContent,
): Promise<Reply> {
  const release = await findRelease(
    formula,
    (item) => item.tag === reference || item.documents.has(reference),
    content,
  );
  const digest = release?.tag === reference ? release.index : reference;
  const document = release?.documents.get(digest);
  if (document === undefined) return registryError(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  return bytesReply(200, document.body, {
    'content-type': document.mediaType,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
}

async function answerBlob(
  formula: string | undefined,
  digest: string,
  content: MirrorContent,
): Promise<BlobReply> {
  const release =
    formula === undefined
      ? undefined
      : await findRelease(
          formula,
          (item) => item.layers.has(digest) || item.documents.has(digest),
          content,
        );
  const bottle = release?.layers.get(digest);
  if (bottle !== undefined) return bottleReply(bottle);
  const document = release?.documents.get(digest);
  if (document === undefined) return registryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  return bytesReply(200, document.body, blobHeaders(digest));
}

/** HOMEBREW_BOTTLE_DOMAIN: flat file names, `jq-1.6.x86_64_linux.bottle.tar.gz`. */
async function answerFile(file: string, content: MirrorContent): Promise<BlobReply> {
  for (const formula of content.formulae.filter((name) => file.startsWith(`${name}-`))) {
    for (const release of await content.releases(formula, false)) {
      const found = [...release.layers.values()].find((item) => localFileName(item, '-') === file);
      if (found !== undefined) return bottleReply(found);
    }
  }
  return jsonReply(404, { error: `no bottle ${file}` });
}

function bottleReply(bottle: Bottle): BlobReply {
  return {
    status: 200,
    headers: blobHeaders(`sha256:${bottle.sha256}`),
    body: { kind: 'file', path: bottle.path, sizeBytes: bottle.sizeBytes },
    bottle,
  };
}

function blobHeaders(digest: string): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
}

/** Other versions are built only when the current one does not have what is asked for. */
async function findRelease(
  formula: string,
  matches: (release: OciRelease) => boolean,
  content: MirrorContent,
): Promise<OciRelease | undefined> {
  const current = await content.releases(formula, false);
  return current.find(matches) ?? (await content.releases(formula, true)).find(matches);
}

function unauthorized(request: ApiRequest, repository: string): Reply {
  const scope = `repository:homebrew/core/${repository}:pull`;
  const challenge = `Bearer realm="${request.origin}/token",service="ghcr.io",scope="${scope}"`;
  return registryError(401, 'UNAUTHORIZED', 'authentication required', {
    'www-authenticate': challenge,
  });
}

function registryError(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { errors: [{ code, message }] }, headers);
}
