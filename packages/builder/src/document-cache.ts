import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectBytes, isSystemError, TaplineError } from '@tapline/base';
import type { HttpSource } from './http-source.ts';

export interface DocumentRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchRequest extends DocumentRequest {
  /** Of what the caller has itself. */
  readonly etag?: string | undefined;
  /** Whether what is on disk is of no use. */
  readonly ignoreCache?: boolean;
}

export type FetchedDocument =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'document';
      readonly text: string;
      readonly etag: string | undefined;
      /** Whether its text was on disk already. */
      readonly cached: boolean;
    };

/** Documents by URL, kept on disk and revalidated by ETag. */
export interface DocumentCache {
  /** The text of a document, or undefined where there is none (404). */
  get(url: string, request: DocumentRequest): Promise<string | undefined>;
  /** The same, without the text where the caller has it. */
  fetch(url: string, request: FetchRequest): Promise<FetchedDocument | undefined>;
}

/** A cached document is one file, so that text and ETag cannot belong to different versions. */
interface CachedDocument {
  readonly url: string;
  readonly etag: string;
  readonly text: string;
}

export function createDocumentCache(init: {
  readonly source: HttpSource;
  readonly directory: string;
}): DocumentCache {
  const { source, directory } = init;

  async function fetch(url: string, request: FetchRequest): Promise<FetchedDocument | undefined> {
    const path = join(directory, `${createHash('sha256').update(url).digest('hex')}.json`);
    const onDisk = request.etag === undefined && request.ignoreCache !== true;
    const cached = onDisk ? await readCached(path, url) : undefined;
    const known = request.etag ?? cached?.etag;
    const response = await source.open(url, {
      headers: { ...request.headers, ...(known !== undefined && { 'if-none-match': known }) },
      accept: known === undefined ? [200, 404] : [200, 304, 404],
      signal: request.signal,
    });
    if (response.status !== 200) response.body.destroy();
    if (response.status === 404) return undefined;
    if (response.status === 304) {
      return cached === undefined
        ? { kind: 'unchanged' }
        : { kind: 'document', text: cached.text, etag: cached.etag, cached: true };
    }
    const text = await readText(url, response.body, request.maxBytes);
    const etag = typeof response.headers.etag === 'string' ? response.headers.etag : undefined;
    if (etag !== undefined) await writeCached(path, { url, etag, text });
    return { kind: 'document', text, etag, cached: false };
  }

  return {
    fetch,
    async get(url, request) {
      const answer = await fetch(url, request);
      return answer?.kind === 'document' ? answer.text : undefined;
    },
  };
}

async function readText(
  url: string,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<string> {
  const bytes = await collectBytes(body, {
    maxBytes,
    tooLarge: () =>
      new TaplineError('document_too_large', `${url} exceeds ${maxBytes} bytes`, {
        details: { url, maxBytes },
      }),
  });
  return new TextDecoder().decode(bytes);
}

async function readCached(path: string, url: string): Promise<CachedDocument | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const cached: Partial<CachedDocument> = JSON.parse(text);
    return cached.url === url && cached.etag !== undefined && cached.text !== undefined
      ? { url, etag: cached.etag, text: cached.text }
      : undefined;
  } catch {
    // Cut short by a power failure: fetched again as if it had never been.
    return undefined;
  }
}

async function writeCached(path: string, document: CachedDocument): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, JSON.stringify(document));
  await rename(partial, path);
}
