import { TaplineError } from '@tapline/base';

/** What a page's agent keeps, by kind. */
export type Shelf = 'meta' | 'installs' | 'outbox' | 'images' | 'blobs';

const shelves: readonly Shelf[] = ['meta', 'installs', 'outbox', 'images', 'blobs'];

/** IndexedDB as far as it is needed: values by key, and the end of a write as a promise. */
export interface PageDatabase extends Disposable {
  get(shelf: Shelf, key: string): Promise<unknown>;
  all(shelf: Shelf): Promise<readonly unknown[]>;
  keys(shelf: Shelf): Promise<readonly string[]>;
  /** Resolves when the value is on the disk. Throws `insufficient_storage`. */
  put(shelf: Shelf, key: string, value: unknown): Promise<void>;
  delete(shelf: Shelf, key: string): Promise<void>;
}

/** Throws `storage_unavailable` where the browser keeps nothing, as in some private windows. */
export async function openPageDatabase(name: string): Promise<PageDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.addEventListener('upgradeneeded', () => {
    for (const shelf of shelves) opening.result.createObjectStore(shelf);
  });
  const database = await answered(opening);

  function read<T>(shelf: Shelf, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return answered(ask(database.transaction(shelf).objectStore(shelf)));
  }

  function write(shelf: Shelf, change: (store: IDBObjectStore) => void): Promise<void> {
    // Strict: what was answered for is not lost with the power.
    const transaction = database.transaction(shelf, 'readwrite', { durability: 'strict' });
    change(transaction.objectStore(shelf));
    return new Promise((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () => reject(failure(transaction.error)));
    });
  }

  return {
    get: (shelf, key) => read(shelf, (store) => store.get(key) as IDBRequest<unknown>),
    all: (shelf) => read(shelf, (store) => store.getAll() as IDBRequest<unknown[]>),
    keys: async (shelf) => (await read(shelf, (store) => store.getAllKeys())).map(String),
    put: (shelf, key, value) => write(shelf, (store) => void store.put(value, key)),
    delete: (shelf, key) => write(shelf, (store) => void store.delete(key)),
    [Symbol.dispose]: () => database.close(),
  };
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(failure(request.error)));
  });
}

function failure(cause: DOMException | null): TaplineError {
  if (cause?.name === 'QuotaExceededError') {
    return new TaplineError('insufficient_storage', 'the browser gives this page no more storage', {
      cause,
    });
  }
  return new TaplineError('storage_unavailable', "the page's storage cannot be used", { cause });
}
