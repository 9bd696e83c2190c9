import type { AnyObject } from './any-object.ts';
import type { ServedKind } from './served-kind.ts';

/**
 * The text to store: metadata first and without resourceVersion, which is known only once it is
 * stored. `wireText` then puts it in by cutting the text, without parsing.
 */
export function storedText(kind: ServedKind, object: AnyObject): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = object;
  const { resourceVersion: _revision, ...kept } = metadata;
  const rest = JSON.stringify(fields);
  const tail = rest === '{}' ? '}' : `,${rest.slice(1)}`;
  return kind.head + JSON.stringify(kept).slice(1) + tail;
}

/** The object's JSON with its resourceVersion. */
export function wireText(kind: ServedKind, stored: string, revision: number): string {
  return `${kind.head}"resourceVersion":"${revision}",${stored.slice(kind.head.length)}`;
}

/** The object with its resourceVersion. */
export function parseStored(kind: ServedKind, stored: string, revision: number): AnyObject {
  return JSON.parse(wireText(kind, stored, revision)) as AnyObject;
}
