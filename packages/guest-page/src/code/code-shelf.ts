/** What is known of kept code without reading it. */
export interface ShelfLabel {
  readonly name: string;
  readonly size: number;
  readonly usedMs: number;
  readonly seal: Uint8Array<ArrayBuffer>;
}

/** Where a browser keeps code; nothing that comes from it is trusted. */
export interface CodeShelf {
  labels(): Promise<readonly unknown[]>;
  code(name: string): Promise<unknown>;
  /** Both at once, in place of what has the same name. */
  put(label: ShelfLabel, code: Uint8Array<ArrayBuffer>): Promise<void>;
  relabel(label: ShelfLabel): Promise<void>;
  delete(name: string): Promise<void>;
}

const database = 'tapline-code';
const stores = ['labels', 'code'] as const;

/** That of the page's origin, in IndexedDB. Rejects where the browser keeps nothing. */
export async function openCodeShelf(): Promise<CodeShelf> {
  const opening = indexedDB.open(database, 1);
  opening.addEventListener('upgradeneeded', () => {
    for (const name of stores) opening.result.createObjectStore(name);
  });
  const opened = await answered(opening);

  async function write(
    change: (labels: IDBObjectStore, code: IDBObjectStore) => void,
  ): Promise<void> {
    // What is lost with the power is translated anew.
    const transaction = opened.transaction(stores, 'readwrite', { durability: 'relaxed' });
    change(transaction.objectStore('labels'), transaction.objectStore('code'));
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () =>
        reject(transaction.error ?? new Error('the write was given up')),
      );
    });
  }

  return {
    labels: () => answered(opened.transaction('labels').objectStore('labels').getAll()),
    code: (name) => answered(opened.transaction('code').objectStore('code').get(name)),
    put: (label, bytes) =>
      write((labels, code) => {
        labels.put(label, label.name);
        code.put(bytes, label.name);
      }),
    relabel: (label) => write((labels) => void labels.put(label, label.name)),
    delete: (name) =>
      write((labels, code) => {
        labels.delete(name);
        code.delete(name);
      }),
  };
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () =>
      reject(request.error ?? new Error('the storage of the page cannot be used')),
    );
  });
}
