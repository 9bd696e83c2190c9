export type {
  DeleteOptions,
  ListOptions,
  NewObject,
  ObjectList,
  ObjectOf,
  Patch,
  PatchOptions,
  RequestOptions,
  ResourceClient,
  WatchEvent,
  WatchOptions,
} from './resource-client.ts';
