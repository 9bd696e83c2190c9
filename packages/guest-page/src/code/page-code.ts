import type { Clock } from '@tapline/base';
import { isCodeNameOfThis, openStoredCode, type StoredCode } from '@tapline/userland';
import type { CodeSeal } from './code-seal.ts';
import type { CodeShelf, ShelfLabel } from './code-shelf.ts';

const megabyte = 1024 * 1024;
/** More than this of one program is not kept; and of all the longest unused go beyond that. */
const largest = 48 * megabyte;
const largestShelf = 192 * megabyte;

export interface PageCode extends StoredCode {
  /** Keeps what has come to it since. Never rejects: what cannot be kept is translated anew. */
  keep(): Promise<void>;
}

export interface PageCodeInit {
  /** Of the program that is run, `storedCodeName`. */
  readonly name: string;
  /** Undefined where the browser keeps nothing, or cannot tell what it was. */
  readonly kept: { readonly shelf: CodeShelf; readonly seal: CodeSeal } | undefined;
  /** What the page's server has of it, asked where nothing is kept. */
  readonly fetchServed: (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly clock: Clock;
}

/**
 * What was translated of a program on earlier visits, or for the page's server, and room for more.
 * Code on the shelf is taken only with the seal of who knows the page's key.
 */
export async function openPageCode(init: PageCodeInit): Promise<PageCode> {
  const { name, kept, clock } = init;
  const found = kept && (await find(name, { ...kept, clock }).catch(() => undefined));
  const code = openStoredCode(found ?? (await init.fetchServed(name).catch(() => undefined)));
  // From the server, it is kept with what comes to it.
  let before = code.cache.generation;

  async function store({ shelf, seal }: NonNullable<typeof kept>): Promise<void> {
    const { generation } = code.cache;
    if (generation === before) return;
    const encoded = code.encode();
    if (encoded === undefined || encoded.length > largest) return;
    const label = { name, size: encoded.length, usedMs: clock.now() };
    await makeRoom(shelf, label);
    await shelf.put({ ...label, seal: await seal.of(name, encoded) }, encoded);
    before = generation;
  }

  return {
    ...code,
    async keep() {
      if (kept !== undefined) await store(kept).catch(() => {});
    },
  };
}

async function find(
  name: string,
  { shelf, seal, clock }: NonNullable<PageCodeInit['kept']> & { readonly clock: Clock },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const label = (await labelsOf(shelf)).find((each) => each.name === name);
  if (label === undefined || label.size > largest) return undefined;
  const code = await shelf.code(name);
  if (!isBytes(code) || !(await seal.holds(name, code, label.seal))) {
    await shelf.delete(name);
    return undefined;
  }
  await shelf.relabel({ ...label, usedMs: clock.now() });
  return code;
}

/** Code of other translators goes, and what was not used for longest, until there is room. */
async function makeRoom(
  shelf: CodeShelf,
  wanted: { readonly name: string; readonly size: number },
): Promise<void> {
  const labels = (await labelsOf(shelf)).filter(({ name }) => name !== wanted.name);
  const ofThis = labels.filter(({ name }) => isCodeNameOfThis(name));
  for (const { name } of labels) if (!isCodeNameOfThis(name)) await shelf.delete(name);
  let all = ofThis.reduce((sum, { size }) => sum + size, wanted.size);
  for (const { name, size } of ofThis.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (all <= largestShelf) return;
    await shelf.delete(name);
    all -= size;
  }
}

async function labelsOf(shelf: CodeShelf): Promise<readonly ShelfLabel[]> {
  return (await shelf.labels()).filter(isLabel);
}

function isLabel(value: unknown): value is ShelfLabel {
  const { name, size, usedMs, seal } = (value ?? {}) as Partial<ShelfLabel>;
  return (
    typeof name === 'string' &&
    typeof size === 'number' &&
    typeof usedMs === 'number' &&
    isBytes(seal)
  );
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}
