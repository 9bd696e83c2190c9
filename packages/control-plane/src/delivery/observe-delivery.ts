import {
  type Delivery,
  type Device,
  formulaObjectName,
  installName,
  matchesSelector,
} from '@tapline/resources';
import type { Informers } from '../informers.ts';
import { packageName } from '../package/package-name.ts';
import type { DeliveryObservation } from './plan-delivery.ts';

/** What a delivery's plan is made from, out of the local copies. */
export function observeDelivery(
  delivery: Delivery,
  informers: Pick<Informers, 'deliveries' | 'devices' | 'installs' | 'packages'>,
): Pick<DeliveryObservation, 'delivery' | 'package' | 'devices' | 'installs' | 'winner'> {
  const { formula, version, image } = delivery.spec.package;
  const devices = informers.devices
    .list()
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined &&
        matchesSelector(delivery.spec.selector, metadata.labels),
    );
  const installs = new Map(
    informers.installs
      .byIndex('delivery', delivery.metadata.name)
      .map((install) => [install.metadata.name, install]),
  );
  for (const device of devices) {
    const name = installName(device.metadata.name, formula);
    const install = informers.installs.get(name);
    if (install !== undefined) installs.set(name, install);
  }
  const older = informers.deliveries
    .byIndex('formula', formulaObjectName(formula))
    .filter((other) => isOlder(other, delivery) && other.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => (isOlder(a, b) ? -1 : 1));
  return {
    delivery,
    package: informers.packages.get(packageName(formula, version, image)),
    devices,
    installs: [...installs.values()],
    winner: (device: Device) =>
      older.find(({ spec }) => matchesSelector(spec.selector, device.metadata.labels)),
  };
}

/** A total order: by creation, then by name, since creation is known to the second only. */
function isOlder(a: Delivery, b: Delivery): boolean {
  const created = Date.parse(a.metadata.creationTimestamp ?? '');
  const other = Date.parse(b.metadata.creationTimestamp ?? '');
  return created === other ? a.metadata.name < b.metadata.name : created < other;
}
