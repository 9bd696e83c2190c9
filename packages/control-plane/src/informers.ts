import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { createInformer, type Informer } from '@tapline/reconcile';
import {
  type Delivery,
  deliveryResource,
  type Device,
  deviceResource,
  type Event,
  eventResource,
  formulaObjectName,
  type Install,
  installResource,
  type Package,
  packageResource,
  type Token,
  tokenResource,
} from '@tapline/resources';
import { isSettled } from './install/is-settled.ts';

/** The control plane's local copies of what its reconcilers look at. */
export interface Informers extends AsyncDisposable {
  /** By the formula's object name: those that can meet on a device. */
  readonly deliveries: Informer<Delivery, 'formula'>;
  readonly devices: Informer<Device>;
  /** `unsettled`: by delivery, those whose device has not said its last word. */
  readonly installs: Informer<Install, 'delivery' | 'unsettled'>;
  readonly packages: Informer<Package>;
  readonly tokens: Informer<Token>;
  readonly events: Informer<Event>;
  readonly synced: Promise<void>;
}

export function createInformers(
  client: ResourceClient,
  init: { readonly clock: Clock; readonly rng: Rng; readonly log: Log },
): Informers {
  const deliveries = createInformer(client, deliveryResource, {
    ...init,
    indexes: { formula: ({ spec }: Delivery) => [formulaObjectName(spec.package.formula)] },
  });
  const devices = createInformer(client, deviceResource, init);
  const installs = createInformer(client, installResource, {
    ...init,
    indexes: {
      delivery: ({ spec }: Install) => [spec.delivery],
      unsettled: (install: Install) => (isSettled(install) ? [] : [install.spec.delivery]),
    },
  });
  const packages = createInformer(client, packageResource, init);
  const tokens = createInformer(client, tokenResource, init);
  const events = createInformer(client, eventResource, init);
  const all = [deliveries, devices, installs, packages, tokens, events];
  const synced = Promise.all(all.map((informer) => informer.synced)).then(() => undefined);
  synced.catch(() => undefined);
  return {
    deliveries,
    devices,
    installs,
    packages,
    tokens,
    events,
    synced,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((informer) => informer[Symbol.asyncDispose]()));
    },
  };
}
