import { openMemoryStore } from './memory-store.ts';
import { storeContract } from './store-contract.ts';

storeContract('MemoryStore', {
  open: async (options) => ({ store: openMemoryStore(options) }),
  runs: 150,
});
