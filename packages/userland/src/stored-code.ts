import {
  artefactKey,
  CodeCache,
  decodeArtefact,
  encodeArtefact,
  translatorVersion,
} from '@tapline/a64';
import { isTaplineError } from '@tapline/base';

/** What was translated for a program, and what earlier runs of it have kept. */
export interface StoredCode {
  /** For `codeCache` of a run. */
  readonly cache: CodeCache;
  /** All of it as bytes to be kept; undefined where nothing has come to it. */
  encode(): Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Opens what `encode` made, where there is any. It has to come from where only this program writes.
 * That code is what it was translated from is compared page by page when it is used.
 */
export function openStoredCode(kept?: Uint8Array<ArrayBuffer>): StoredCode {
  const cache = new CodeCache();
  for (const each of modulesOf(kept)) cache.add(each);
  const before = cache.generation;
  return {
    cache,
    encode: () => (cache.generation === before ? undefined : encodeArtefact(cache.list())),
  };
}

/** The name to keep it under: of the file that it begins with, and of this translator. */
export function storedCodeName(digest: string): string {
  return artefactKey({ id: digest, address: 0 });
}

/** Whether a name of `storedCodeName` is of this translator: code of others is of no use. */
export function isCodeNameOfThis(name: string): boolean {
  return name.startsWith(`a64-${translatorVersion}-`);
}

function modulesOf(kept: Uint8Array<ArrayBuffer> | undefined): ReturnType<CodeCache['list']> {
  if (kept === undefined) return [];
  try {
    return decodeArtefact(kept) ?? [];
  } catch (error) {
    // What cannot be read is made anew.
    if (isTaplineError(error, 'code_artefact')) return [];
    throw error;
  }
}
