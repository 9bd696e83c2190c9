import type {
  ListOptions,
  ObjectList,
  RequestOptions,
  WatchEvent,
  WatchOptions,
} from '@tapline/client';
import type { Install, installResource, InstallStatus } from '@tapline/resources';

type Definition = typeof installResource;

/** Where a device's Installs come from, and how they stand goes to. Errors have the API's codes. */
export interface InstallFeed {
  /** All that the device is to have. */
  list(
    definition: Definition,
    options?: Pick<ListOptions, 'limit' | 'continue' | 'signal'>,
  ): Promise<ObjectList<Install>>;
  /** What changes after `resourceVersion`. Throws `expired` where that is not known any more. */
  watch(
    definition: Definition,
    options: Pick<WatchOptions, 'resourceVersion' | 'signal'>,
  ): AsyncIterable<WatchEvent<Install>>;
  /** How one stands, in place of what was said before. `conflict`: another has its name. */
  report(
    install: { readonly name: string; readonly uid: string },
    status: InstallStatus,
    options?: Pick<RequestOptions, 'signal'>,
  ): Promise<void>;
}
