import { openMemoryStore } from './memory-store.ts';
import { storeContract } from './testing/store-contract.ts';

storeContract('MemoryStore', {
  open: async (options) => ({ store: openMemoryStore(options) }),
  runs: 150,
});
