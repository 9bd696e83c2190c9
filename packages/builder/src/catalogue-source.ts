import type { KeyObject } from 'node:crypto';
import { type Clock, isTaplineError } from '@tapline/base';
import type { Catalogue } from './catalogue.ts';
import type { DocumentCache } from './document-cache.ts';
import { verifyApiDocument } from './verify-api-document.ts';

export interface CatalogueSourceInit {
  readonly documents: DocumentCache;
  readonly clock: Clock;
  /** Of the signed list. */
  readonly url: string;
  readonly key: KeyObject;
  /** Reads what was signed. */
  readonly parse: (payload: string) => Catalogue;
}

/** A signed list of formulae, as new as a minute. */
export interface CatalogueSource {
  /**
   * Undefined where there is no such list. Throws `homebrew_signature_invalid`,
   * `homebrew_answer_invalid`, `homebrew_unreachable`.
   */
  load(options: { readonly signal?: AbortSignal | undefined }): Promise<Catalogue | undefined>;
}

/** Homebrew's own client asks every 450 s; a plan asks for dozens of formulae, and a few at once. */
const maxAgeMs = 60_000;
const maxBytes = 256 * 1024 * 1024;

export function createCatalogueSource(init: CatalogueSourceInit): CatalogueSource {
  const { documents, clock, url, key, parse } = init;
  let known: { readonly catalogue: Catalogue; readonly etag: string | undefined } | undefined;
  let checkedAt: number | undefined;
  let loading: Promise<Catalogue | undefined> | undefined;

  async function fetch(): Promise<Catalogue | undefined> {
    const answer = await documents.fetch(url, { maxBytes, etag: known?.etag });
    if (answer?.kind === 'document') {
      known = { catalogue: await verified(answer), etag: answer.etag };
    }
    if (answer === undefined) known = undefined;
    return known?.catalogue;
  }

  /** What this machine kept may be damaged, or signed by a key that was in use before. */
  async function verified(answer: {
    readonly text: string;
    readonly cached: boolean;
  }): Promise<Catalogue> {
    try {
      return parse(verifyApiDocument(answer.text, { key, url }));
    } catch (error) {
      if (!answer.cached || !isTaplineError(error)) throw error;
      const again = await documents.fetch(url, { maxBytes, ignoreCache: true });
      if (again?.kind !== 'document') throw error;
      return parse(verifyApiDocument(again.text, { key, url }));
    }
  }

  return {
    async load({ signal }) {
      const now = clock.monotonic();
      if (checkedAt !== undefined && now - checkedAt < maxAgeMs) return known?.catalogue;
      // One for all who wait: that one of them is aborted is nothing to the others.
      loading ??= fetch()
        .then((catalogue) => {
          checkedAt = now;
          return catalogue;
        })
        .finally(() => {
          loading = undefined;
        });
      return untilAborted(loading, signal);
    },
  };
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
