import { badRequest } from '../api-error.ts';

/** A resourceVersion as a revision; undefined where empty. Fails with `bad_request`. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const revision = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text.slice(0, 64))}`);
  }
  return revision;
}
