/** What a page keeps of a program's translated code. */
export interface KeptCode {
  readonly size: number;
  readonly usedMs: number;
  /** Some bytes of its middle as a byte string, changed when it was to be. */
  readonly middle: string;
  /** Whether `sought` is in it. */
  readonly found: boolean;
}

export interface LookOptions {
  /** Changes a byte in its middle. */
  readonly change?: boolean;
  /** A byte string. */
  readonly sought?: string;
}

/** An expression that looks at the only code that a page keeps. */
export function keptCode(options: LookOptions = {}): string {
  return `(${lookHere.toString()})(${JSON.stringify(options)})`;
}

/** Runs in the page: it knows nothing of what is around it here. */
async function lookHere({ change = false, sought = '' }: LookOptions): Promise<KeptCode> {
  interface Asked<T> {
    readonly result: T;
    addEventListener(type: string, listener: () => void): void;
  }
  interface Store {
    getAll(): Asked<unknown[]>;
    getAllKeys(): Asked<string[]>;
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
  const store = (name: string): Store => database.transaction(name, 'readwrite').objectStore(name);
  const [label] = (await answered(store('labels').getAll())) as {
    readonly size: number;
    readonly usedMs: number;
  }[];
  const [code = new Uint8Array(0)] = (await answered(store('code').getAll())) as Uint8Array[];
  const [name = ''] = await answered(store('code').getAllKeys());
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
