import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';
import {
  type Descriptor,
  type Digest,
  digestBytes,
  encodeManifest,
  type ImageIndex,
  mediaTypes,
  parseDigest,
  parseManifest,
} from '@tapline/oci';
import { referrerDescriptor } from '../client/referrers.ts';
import type { FetchedManifest } from '../client/registry-client.ts';
import type { ImageEndpoint } from '../copy/image-endpoint.ts';
import { sha256 } from '../storage/sha256.ts';

const refName = 'org.opencontainers.image.ref.name';
const readChunkBytes = 256 * 1024;

/**
 * A folder as an OCI image layout (OCI image spec 1.1, image-layout.md) to copy images to and from.
 * It has one repository, whatever its name; `index.json` names its images and their referrers.
 * Throws `layout_unknown` where `mustExist` and it is none.
 */
export async function openOciLayout(
  directory: string,
  options: { readonly mustExist: boolean },
): Promise<ImageEndpoint> {
  const indexPath = join(directory, 'index.json');
  if (options.mustExist) await readIndex();
  else await create();

  async function create(): Promise<void> {
    await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
    await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    try {
      await stat(indexPath);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      await writeIndex([]);
    }
  }

  async function readIndex(): Promise<ImageIndex> {
    let text: string;
    try {
      text = await readFile(indexPath, 'utf8');
    } catch (cause) {
      if (!isSystemError(cause, 'ENOENT')) throw cause;
      throw new TaplineError('layout_unknown', `${directory} is no OCI image layout`, {
        cause,
        hint: 'name a folder that has oci-layout and index.json',
      });
    }
    const parsed = parseManifest(text);
    if (parsed.kind === 'index') return parsed.index;
    throw new TaplineError('manifest_invalid', `${indexPath} is no image index`);
  }

  async function writeIndex(manifests: readonly Descriptor[]): Promise<void> {
    const draft = `${indexPath}.${randomUUID()}`;
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests } as const;
    await writeFile(draft, encodeManifest(index));
    await rename(draft, indexPath);
  }

  function pathOf(digest: Digest): string {
    return join(directory, 'blobs', digest.replace(':', '/'));
  }

  async function sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(pathOf(digest))).size;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** The entry that a tag or a digest names; a layout with one image needs no tag. */
  async function find(reference: string): Promise<Descriptor | undefined> {
    const { manifests } = await readIndex();
    const named = manifests.find(
      ({ annotations, digest }) => annotations?.[refName] === reference || digest === reference,
    );
    if (named !== undefined || reference !== 'latest') return named;
    const tagged = manifests.filter(({ annotations }) => annotations?.[refName] !== undefined);
    return tagged.length === 1 ? tagged[0] : manifests.length === 1 ? manifests[0] : undefined;
  }

  async function manifestOf(digest: Digest): Promise<FetchedManifest> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(pathOf(digest));
    } catch (cause) {
      if (!isSystemError(cause, 'ENOENT')) throw cause;
      throw new TaplineError('manifest_unknown', `manifest ${digest} is not in ${directory}`, {
        cause,
      });
    }
    if (digestBytes(bytes, sha256) !== digest) {
      throw new TaplineError('digest_mismatch', `what ${directory} has as ${digest} is not it`);
    }
    const manifest = parseManifest(bytes);
    const { mediaType } = manifest.kind === 'manifest' ? manifest.manifest : manifest.index;
    return { digest, mediaType, bytes, manifest };
  }

  async function put(digest: Digest, source: AsyncIterable<Uint8Array>): Promise<void> {
    const target = pathOf(digest);
    const draft = `${target}.${randomUUID()}`;
    await mkdir(join(target, '..'), { recursive: true });
    try {
      await writeVerified(draft, source, digest);
      await rename(draft, target);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  return {
    resolve: (_repository, tag) => find(tag),

    async manifest(_repository, reference) {
      const digest = reference.includes(':')
        ? parseDigest(reference)
        : (await find(reference))?.digest;
      if (digest !== undefined) return await manifestOf(digest);
      throw new TaplineError('manifest_unknown', `image ${reference} is not in ${directory}`);
    },

    hasBlob: async (_repository, digest) => (await sizeOf(digest)) !== undefined,

    async *blob(_repository, { digest, size }) {
      const hash = createHash(digest.slice(0, digest.indexOf(':')));
      if ((await sizeOf(digest)) === undefined) {
        throw new TaplineError('blob_unknown', `blob ${digest} is not in ${directory}`);
      }
      let read = 0;
      for await (const chunk of createReadStream(pathOf(digest), {
        highWaterMark: readChunkBytes,
      })) {
        hash.update(chunk as Buffer);
        read += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
      if (read !== size || !digest.endsWith(hash.digest('hex'))) {
        throw new TaplineError('digest_mismatch', `what ${directory} has as ${digest} is not it`);
      }
    },

    async pushBlob(_repository, { digest, open: read }) {
      if ((await sizeOf(digest)) !== undefined) return 'present';
      await put(digest, read());
      return 'uploaded';
    },

    async pushManifest(_repository, { reference, bytes }) {
      const digest = digestBytes(bytes, sha256);
      const parsed = parseManifest(bytes);
      await put(digest, once(bytes));
      const described = referrerDescriptor(parsed, { digest, size: bytes.length });
      const { subject } = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
      // What an index refers to stands in the index; what nothing refers to would be lost here.
      if (reference.includes(':') && subject === undefined) return digest;
      const { annotations, ...plain } = described;
      const entry = reference.includes(':')
        ? { ...plain, ...(annotations !== undefined && { annotations }) }
        : { ...plain, annotations: { ...annotations, [refName]: reference } };
      const { manifests } = await readIndex();
      const others = manifests.filter((other) =>
        reference.includes(':')
          ? other.digest !== digest
          : other.annotations?.[refName] !== reference,
      );
      await writeIndex([...others, entry]);
      return digest;
    },

    async deleteManifest(_repository, reference) {
      const { manifests } = await readIndex();
      const left = manifests.filter(
        ({ annotations, digest }) => annotations?.[refName] !== reference && digest !== reference,
      );
      if (left.length < manifests.length) await writeIndex(left);
      return left.length < manifests.length;
    },

    async tags() {
      const { manifests } = await readIndex();
      return manifests.flatMap(({ annotations }) => annotations?.[refName] ?? []).toSorted();
    },

    async referrers(_repository, subject, { artifactType } = {}) {
      const { manifests } = await readIndex();
      const found: Descriptor[] = [];
      for (const entry of manifests) {
        const { manifest: parsed } = await manifestOf(entry.digest);
        const document = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
        if (document.subject?.digest !== subject) continue;
        const described = referrerDescriptor(parsed, entry);
        if (artifactType === undefined || described.artifactType === artifactType) {
          found.push(described);
        }
      }
      return found;
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}

async function writeVerified(
  path: string,
  source: AsyncIterable<Uint8Array>,
  digest: Digest,
): Promise<void> {
  await using file = await open(path, 'wx');
  const hash = createHash(digest.slice(0, digest.indexOf(':')));
  for await (const chunk of source) {
    hash.update(chunk);
    for (let offset = 0; offset < chunk.length;) {
      offset += (await file.write(chunk, offset)).bytesWritten;
    }
  }
  if (!digest.endsWith(`:${hash.digest('hex')}`)) {
    throw new TaplineError('digest_mismatch', `content is not ${digest}`);
  }
}
