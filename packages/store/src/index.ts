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
