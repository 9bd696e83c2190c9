import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, isSystemError, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { HttpResponse } from '@tapline/registry';
import type { OnBuildEvent } from './build-event.ts';
import type { HttpSource } from './http-source.ts';
import type { PlannedBottle } from './package-plan.ts';
import { PartialFile } from './partial-file.ts';

export interface FetchBottleOptions {
  readonly onEvent?: OnBuildEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bottles by digest, verified before they are visible. */
export interface BottleCache {
  /** Where the bottle lies, if it does. */
  find(digest: Digest): Promise<string | undefined>;
  /**
   * Bytes that fetching the bottle takes, by asking the mirror where the plan does not say; 0 where
   * the mirror does not say either.
   */
  sizeOf(bottle: PlannedBottle, options: FetchBottleOptions): Promise<number>;
  /**
   * Where the bottle lies; fetched first where it is missing, from where an earlier try broke off.
   * Throws `digest_mismatch`, `bottle_truncated`, `bottle_not_found`, `homebrew_unreachable`.
   */
  fetch(bottle: PlannedBottle, options: FetchBottleOptions): Promise<string>;
}

export interface BottleCacheInit {
  readonly source: HttpSource;
  readonly directory: string;
  /** What a request for a bottle carries. */
  readonly headers: (url: string) => Readonly<Record<string, string>>;
}

const progressBytes = 1024 * 1024;

export function createBottleCache(init: BottleCacheInit): BottleCache {
  const { source, directory, headers } = init;
  const running = new Map<Digest, Promise<string>>();

  const pathOf = (digest: Digest): string => join(directory, digest.replace(':', '/'));

  async function find(digest: Digest): Promise<string | undefined> {
    try {
      await stat(pathOf(digest));
      return pathOf(digest);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async function download(bottle: PlannedBottle, options: FetchBottleOptions): Promise<string> {
    const target = pathOf(bottle.digest);
    await using part = await PartialFile.open(target);
    for (let attempt = 0; ; attempt += 1) {
      const before = part.size;
      const outcome = await receive(bottle, part, options);
      if (outcome.kind === 'complete') break;
      source.log.debug('bottle broke off', { formula: bottle.formula.name, ...outcome });
      // What brought bytes is worth another try; what did not counts towards giving up.
      const tries = part.size > before ? 0 : attempt;
      if (attempt >= maxResumptions || !(await source.retry(tries, options.signal))) {
        throw truncated(bottle, part.size, outcome);
      }
    }
    const actual = `sha256:${part.hex()}`;
    if (actual !== bottle.digest) {
      await part.discard();
      throw new TaplineError(
        'digest_mismatch',
        `bottle of ${bottle.formula.name} has ${actual}, not ${bottle.digest}`,
        {
          hint: 'the mirror serves other bytes than the formula API names; try another one',
          details: {
            formula: bottle.formula.name,
            expected: bottle.digest,
            actual,
            url: bottle.url,
          },
        },
      );
    }
    await part.finish();
    options.onEvent?.({ kind: 'fetched', formula: bottle.formula.name, size: part.size });
    return target;
  }

  async function receive(
    bottle: PlannedBottle,
    part: PartialFile,
    { onEvent, signal }: FetchBottleOptions,
  ): Promise<Received> {
    const resumes = part.size > 0;
    const response = await source.open(bottle.url, {
      headers: { ...headers(bottle.url), ...(resumes && { range: `bytes=${part.size}-` }) },
      accept: [200, 206, 404, 416],
      signal,
    });
    if (response.status === 404) {
      response.body.destroy();
      throw notFound(bottle);
    }
    if (response.status === 416 || (response.status === 206 && !resumes)) {
      // What is here is longer than the bottle, or the whole of it and its check is next.
      response.body.destroy();
      if (part.size === bottle.size) return { kind: 'complete' };
      await part.restart();
      return { kind: 'broken', why: 'the mirror cannot resume', totalBytes: bottle.size };
    }
    if (response.status === 200 && resumes) await part.restart();
    const totalBytes = totalOf(response, part.size);
    let reported = part.size;
    try {
      for await (const chunk of response.body) {
        await part.write(chunk);
        if (part.size - reported < progressBytes) continue;
        reported = part.size;
        const formula = bottle.formula.name;
        onEvent?.({ kind: 'fetching', formula, receivedBytes: part.size, totalBytes });
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (isDiskFull(error)) {
        throw new TaplineError(
          'insufficient_storage',
          `the disk of ${directory} was full after ${part.size} of ${totalBytes ?? 'unknown'} bytes of ${bottle.formula.name}`,
          { cause: error, details: { directory, formula: bottle.formula.name } },
        );
      }
      return { kind: 'broken', why: errorMessage(error), totalBytes };
    }
    return totalBytes === undefined || part.size >= totalBytes
      ? { kind: 'complete' }
      : { kind: 'broken', why: 'the connection ended', totalBytes };
  }

  return {
    find,
    async sizeOf(bottle, { signal }) {
      if (bottle.size !== undefined) return bottle.size;
      const response = await source.open(bottle.url, {
        method: 'HEAD',
        headers: headers(bottle.url),
        // Storage that signs its addresses for GET refuses HEAD, and some servers do not know it.
        accept: [200, 403, 404, 405, 501],
        signal,
      });
      response.body.destroy();
      if (response.status === 404) throw notFound(bottle);
      return (response.status === 200 ? totalOf(response, 0) : undefined) ?? 0;
    },
    async fetch(bottle, options) {
      const found = await find(bottle.digest);
      if (found !== undefined) return found;
      let fetching = running.get(bottle.digest);
      if (fetching === undefined) {
        fetching = download(bottle, options).finally(() => running.delete(bottle.digest));
        running.set(bottle.digest, fetching);
      }
      return fetching;
    },
  };
}

/** However often a mirror breaks off after a few bytes, a bottle is not fetched for ever. */
const maxResumptions = 50;

type Received =
  | { readonly kind: 'complete' }
  | { readonly kind: 'broken'; readonly why: string; readonly totalBytes: number | undefined };

/** Bytes of the whole, from `Content-Range` (RFC 9110 §14.4) or `Content-Length`. */
function totalOf(response: HttpResponse, from: number): number | undefined {
  const range = /^bytes \d+-\d+\/(\d+)$/.exec(String(response.headers['content-range'] ?? ''))?.[1];
  if (range !== undefined) return Number(range);
  const length = response.headers['content-length'];
  return typeof length === 'string' && /^\d+$/.test(length)
    ? Number(length) + (response.status === 206 ? from : 0)
    : undefined;
}

function truncated(
  bottle: PlannedBottle,
  received: number,
  { why, totalBytes }: { readonly why: string; readonly totalBytes: number | undefined },
): TaplineError {
  const expected = bottle.size ?? totalBytes;
  return new TaplineError(
    'bottle_truncated',
    `bottle of ${bottle.formula.name} ended after ${received} of ${expected ?? 'unknown'} bytes: ${why}`,
    {
      hint: 'try again: what was received is kept and continued',
      details: { formula: bottle.formula.name, received, expected, url: bottle.url },
    },
  );
}

function notFound(bottle: PlannedBottle): TaplineError {
  return new TaplineError(
    'bottle_not_found',
    `the mirror has no bottle ${bottle.digest} of ${bottle.formula.name}`,
    { details: { formula: bottle.formula.name, digest: bottle.digest, url: bottle.url } },
  );
}

function isDiskFull(error: unknown): boolean {
  return isSystemError(error, 'ENOSPC');
}
