import { isTaplineError } from '@tapline/base';
import type { Entry, Store } from '@tapline/store';
import { apiError, badRequest, expired } from '../api-error.ts';
import type { ObjectCache } from '../object-cache.ts';
import type { ListQuery } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { StoredObject } from '../stored-object.ts';
import { isSelected, parseSelection, type Selection } from '../watch/selection.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import { formatContinueToken, parseContinueToken } from './continue-token.ts';
import { parseRevision } from './parse-revision.ts';

export interface StoredList {
  readonly objects: readonly StoredObject[];
  readonly revision: number;
  readonly continue?: string;
  readonly remaining?: number;
}

/** What listing needs. */
export interface ListSources {
  readonly store: Store;
  readonly cache: ObjectCache;
  readonly hub: Pick<WatchHub, 'indexedKeys'>;
}

/** Lists a consistent snapshot. Fails with `expired` where its revision was compacted. */
export async function listObjects(
  sources: ListSources,
  kind: ServedKind,
  query: ListQuery,
): Promise<StoredList> {
  const selection = parseSelection(kind, query);
  const limit = query.limit === undefined || query.limit <= 0 ? undefined : query.limit;
  const prefix =
    selection.namespace === undefined ? kind.prefix : `${kind.prefix}${selection.namespace}/`;
  const place = startOf(sources.store, prefix, query);
  if (place.revision === undefined) {
    const found = indexed(sources, kind, selection);
    if (found !== undefined && (limit === undefined || found.objects.length <= limit)) return found;
  }
  try {
    return await scan(sources, kind, selection, { ...place, prefix, limit });
  } catch (error) {
    throw listError(error, query);
  }
}

function startOf(
  store: Store,
  prefix: string,
  query: ListQuery,
): { readonly revision?: number; readonly after?: string } {
  const { resourceVersion = '', resourceVersionMatch: match } = query;
  if (query.continue !== undefined && query.continue !== '') {
    if (resourceVersion !== '' && resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    return parseContinueToken(query.continue, prefix);
  }
  if (match !== undefined && match !== '' && resourceVersion === '') {
    throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  const revision = parseRevision(resourceVersion);
  if (match === 'Exact') {
    if (revision === undefined || revision === 0) {
      throw badRequest('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
    }
    return { revision };
  }
  if (revision !== undefined && revision > store.revision) {
    throw apiError(
      'timeout',
      `Too large resource version: ${revision}, current: ${store.revision}`,
      {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    );
  }
  return {};
}

/** By index, where the selection demands the value of an indexed field. */
function indexed(
  { store, cache, hub }: ListSources,
  kind: ServedKind,
  selection: Selection,
): StoredList | undefined {
  if (selection.indexed === undefined) return undefined;
  const { field, value } = selection.indexed;
  const keys = hub.indexedKeys(kind, field, value);
  if (keys === undefined) return undefined;
  const objects: StoredObject[] = [];
  for (const key of [...keys].toSorted()) {
    const entry = store.getSync(key);
    if (entry === undefined) continue;
    const object = cache.at(kind, entry);
    if (isSelected(selection, object)) objects.push(object);
  }
  return { objects, revision: store.revision };
}

async function scan(
  { store, cache }: ListSources,
  kind: ServedKind,
  selection: Selection,
  page: {
    readonly prefix: string;
    readonly revision?: number;
    readonly after?: string;
    readonly limit: number | undefined;
  },
): Promise<StoredList> {
  const { prefix, limit } = page;
  const objects: StoredObject[] = [];
  let { revision, after } = page;
  for (;;) {
    const wanted = limit === undefined ? undefined : limit - objects.length;
    const found = await store.list({
      prefix,
      ...(revision === undefined ? {} : { revision }),
      ...(after === undefined ? {} : { after }),
      // A selection takes some of a page: larger pages save rounds, and are cut below.
      ...(wanted === undefined ? {} : { limit: selection.everything ? wanted : wanted + 500 }),
    });
    revision = found.revision;
    let last: Entry | undefined;
    for (const entry of found.entries) {
      last = entry;
      const object = cache.at(kind, entry);
      if (isSelected(selection, object)) objects.push(object);
      if (objects.length === limit) break;
    }
    const more = found.more || (last !== undefined && last !== found.entries.at(-1));
    if (last === undefined || !more) return { objects, revision };
    after = last.key;
    if (objects.length === limit) {
      return {
        objects,
        revision,
        continue: formatContinueToken({ revision, after }),
        ...(selection.everything ? { remaining: found.remaining } : {}),
      };
    }
  }
}

function listError(error: unknown, query: ListQuery): unknown {
  if (isTaplineError(error, 'compacted')) {
    return expired(
      query.continue === undefined || query.continue === ''
        ? `The resourceVersion for the provided list is too old: ${error.message}`
        : 'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  }
  if (isTaplineError(error, 'future_revision')) return expired(error.message);
  return error;
}
