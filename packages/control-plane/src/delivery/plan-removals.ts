import { type Delivery, type Install, installName } from '@tapline/resources';
import type { DeliveryStep } from './delivery-step.ts';
import { type DeviceState, isMadeBy } from './device-state.ts';

/** Installs that have to go: of devices no longer selected, of another formula, of another owner. */
export function planRemovals(
  delivery: Delivery,
  states: readonly DeviceState[],
  installs: readonly Install[],
): DeliveryStep[] {
  const { formula } = delivery.spec.package;
  const byName = new Map(
    states.map((state) => [installName(state.device.metadata.name, formula), state]),
  );
  return installs.flatMap((install): DeliveryStep[] => {
    if (install.metadata.deletionTimestamp !== undefined) return [];
    const why = removalReason(delivery, install, byName.get(install.metadata.name));
    return why === undefined ? [] : [{ kind: 'delete-install', install, why }];
  });
}

function removalReason(
  delivery: Delivery,
  install: Install,
  state: DeviceState | undefined,
): string | undefined {
  const lost =
    state?.progress.kind === 'failed' && state.progress.error.code === 'install_conflict';
  if (isMadeBy(install, delivery)) {
    if (state === undefined) {
      return install.spec.formula === delivery.spec.package.formula
        ? `device ${install.spec.device} is not selected`
        : `the delivery is of ${delivery.spec.package.formula} now`;
    }
    return lost && state.progress.kind === 'failed' ? state.progress.error.message : undefined;
  }
  // A device never goes back to an older revision of an Install, so a new owner needs a new one.
  if (state === undefined || lost) return undefined;
  return `delivery ${install.spec.delivery} made it, and ${delivery.metadata.name} is the older one`;
}
