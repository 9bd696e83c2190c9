export {
  createHttpClient,
  type Credentials,
  type HttpClient,
  type HttpClientInit,
} from './http-client.ts';
export { createInProcessClient } from './in-process-client.ts';
export { type KubeconfigContext, loadKubeconfig } from './kubeconfig.ts';
export type {
  DeleteOptions,
  ListOptions,
  NewMetadata,
  NewObject,
  NewObjectOf,
  ObjectList,
  ObjectOf,
  Patch,
  PatchOptions,
  RequestOptions,
  ResourceClient,
  WatchEvent,
  WatchOptions,
} from './resource-client.ts';
export type { HttpAnswer, HttpMessage, SendHttp } from './resource-exchange.ts';
export { statusError } from './status-error.ts';
