export { openMemoryStore } from './memory-store.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
export type {
  Change,
  Entry,
  ListOptions,
  ListResult,
  Retention,
  Store,
  Watch,
  WatchOptions,
  WriteOperation,
  WriteResult,
} from './store.ts';
