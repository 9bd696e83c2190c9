import type { CollectionReport } from '../admin/registry-admin.ts';
import type { ScrubEvent } from '../scrub/scrub-event.ts';
import type { RegistryRoute } from './registry-route.ts';

/** What the registry tells of itself. Routes, methods and codes are few, so they can be labels. */
export interface RegistryObserver {
  answered(request: {
    readonly route: RegistryRoute['kind'] | 'unknown';
    readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'other';
    readonly code: number;
    readonly seconds: number;
  }): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  collected(report: CollectionReport): void;
  scrubbed(event: ScrubEvent): void;
}

export const silentObserver: RegistryObserver = {
  answered() {},
  received() {},
  sent() {},
  collected() {},
  scrubbed() {},
};
