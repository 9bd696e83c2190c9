import type { StoredResponse } from '../store/stored-response.ts';

/** A response as the tiers keep it. */
export function responseOf(key: string, body: Buffer): StoredResponse {
  return {
    head: {
      key,
      status: 200,
      fields: [['etag', '"a"']],
      responseTimeMs: 1,
      initialAgeMs: 0,
      lifetimeMs: 1000,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      mustRevalidate: false,
      alwaysRevalidate: false,
      forAuthorized: false,
      tags: ['t'],
      generation: 0,
      part: undefined,
    },
    body,
  };
}
