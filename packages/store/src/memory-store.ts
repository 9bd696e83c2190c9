import { JournaledStore } from './journaled-store.ts';
import { noJournal } from './journal.ts';
import { defaultRetention } from './retention.ts';
import type { Retention, Store } from './store.ts';
import { VersionedMap } from './versioned-map.ts';

/** A store that ends with its process. */
export function openMemoryStore(options: { readonly retention?: Retention } = {}): Store {
  return new JournaledStore({
    map: new VersionedMap(0),
    journal: noJournal,
    retention: options.retention ?? defaultRetention,
  });
}
