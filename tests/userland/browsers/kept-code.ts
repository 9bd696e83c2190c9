/** What a page keeps of a program's translated code; of size 0 where it keeps none. */
export interface KeptCode {
  readonly size: number;
  readonly usedMs: number;
  /** Some bytes of its middle as a byte string, changed when it was to be. */
  readonly middle: string;
  /** Whether `sought` is in it. */
  readonly found: boolean;
}

export interface LookOptions {
  /** Of the code, `storedCodeName`: the page's own shell may keep some, too. */
  readonly name: string;
  /** Changes a byte in its middle. */
  readonly change?: boolean;
  /** A byte string. */
  readonly sought?: string;
}

/** An expression that looks at code that a page keeps. */
export function keptCode(options: LookOptions): string {
  return `(${lookHere.toString()})(${JSON.stringify(options)})`;
}

/** Runs in the page: it knows nothing of what is around it here. */
async function lookHere({ name, change = false, sought = '' }: LookOptions): Promise<KeptCode> {
  interface Asked<T> {
    readonly result: T;
    addEventListener(type: string, listener: () => void): void;
  }
  interface Store {
    get(key: string): Asked<unknown>;
    put(value: unknown, key: string): Asked<unknown>;
  }
  interface Database {
    transaction(name: string, mode: string): { objectStore(name: string): Store };
    close(): void;
  }
  const { indexedDB } = globalThis as unknown as {
    readonly indexedDB: { open(name: string, version: number): Asked<Database> };
  };
  const answered = <T>(asked: Asked<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      asked.addEventListener('success', () => resolve(asked.result));
      asked.addEventListener('error', () => reject(new Error('the storage does not answer')));
    });
  const database = await answered(indexedDB.open('tapline-code', 1));
  const store = (of: string): Store => database.transaction(of, 'readwrite').objectStore(of);
  const label = (await answered(store('labels').get(name))) as
    | { readonly size: number; readonly usedMs: number }
    | undefined;
  const found = (await answered(store('code').get(name))) as Uint8Array | undefined;
  const code = found ?? new Uint8Array(0);
  const middleAt = code.length >> 1;
  if (change) {
    code[middleAt] = (code[middleAt] ?? 0) ^ 1;
    await answered(store('code').put(code, name));
  }
  database.close();
  const { size = 0, usedMs = 0 } = label ?? {};
  const text = Array.from(code, (byte) => String.fromCharCode(byte)).join('');
  const middle = text.slice(middleAt - 32, middleAt + 32);
  return { size, usedMs, middle, found: text.includes(sought) };
}
