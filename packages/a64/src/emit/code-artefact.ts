import { TaplineError } from '@tapline/base';
import type { CachedModule, CodePage } from './code-cache.ts';

/**
 * What generated code relies on: another number whenever the emitter, the layout of the machine's data
 * or what is imported changes. Artefacts of other numbers are of no use.
 */
export const translatorVersion = 6;

const magic = 0x34364154;
const headerSize = 16;

/** Modules as bytes to be stored, for a file, a browser's storage or a registry. */
export function encodeArtefact(modules: readonly CachedModule[]): Uint8Array<ArrayBuffer> {
  const described = modules.map(({ bytes, entries, inside, pages }) => ({
    bytes: bytes.length,
    entries,
    inside: [...inside],
    pages: pages.map((page) => ({ address: page.address, bytes: page.bytes.length })),
  }));
  const description = new TextEncoder().encode(JSON.stringify(described));
  const parts = modules.flatMap(({ bytes, pages }) => [bytes, ...pages.map((page) => page.bytes)]);
  const size = parts.reduce((total, part) => total + part.length, 0);
  const whole = new Uint8Array(headerSize + description.length + size);
  const header = new DataView(whole.buffer);
  header.setUint32(0, magic, true);
  header.setUint32(4, translatorVersion, true);
  header.setUint32(8, description.length, true);
  header.setUint32(12, size, true);
  whole.set(description, headerSize);
  let at = headerSize + description.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Described {
  readonly bytes: number;
  readonly entries: readonly number[];
  readonly inside: readonly number[];
  readonly pages: readonly { readonly address: number; readonly bytes: number }[];
}

/**
 * The modules of an artefact; undefined for one of another version. It has to come from where only
 * this program writes: that pages are what a module was made of is all that can be checked later.
 */
export function decodeArtefact(
  bytes: Uint8Array<ArrayBuffer>,
): readonly CachedModule[] | undefined {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < headerSize || header.getUint32(0, true) !== magic) {
    throw new TaplineError('code_artefact', `${bytes.length} bytes are no artefact of code`);
  }
  if (header.getUint32(4, true) !== translatorVersion) return undefined;
  const described = headerSize + header.getUint32(8, true);
  const expected = described + header.getUint32(12, true);
  if (bytes.length !== expected) {
    throw new TaplineError(
      'code_artefact',
      `an artefact of code has ${bytes.length} bytes, its header says ${expected}`,
    );
  }
  const text = new TextDecoder().decode(bytes.subarray(headerSize, described));
  let at = described;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return (JSON.parse(text) as readonly Described[]).map((each) => ({
    bytes: take(each.bytes),
    entries: each.entries,
    inside: new Set(each.inside),
    pages: each.pages.map((page): CodePage => ({
      address: page.address,
      bytes: take(page.bytes),
    })),
  }));
}

/**
 * The name to store the artefact of a file under: its build-id or digest, the address that it is
 * loaded at, and what the code relies on.
 */
export function artefactKey(file: { readonly id: string; readonly address: number }): string {
  return `a64-${translatorVersion}-${file.id}-${file.address.toString(16)}`;
}
