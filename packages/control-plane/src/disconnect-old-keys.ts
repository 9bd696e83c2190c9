import { deviceUser } from '@tapline/gateway';
import { deviceKeyAnnotation } from '@tapline/resources';
import type { Informers } from './informers.ts';

/**
 * Ends the connections of devices that were deleted, or have another key now: every request is
 * checked when it begins, and a watch or a session would go on for as long as it lasts. Gives back
 * what ends that.
 */
export function disconnectOldKeys(
  devices: Pick<Informers['devices'], 'onChange'>,
  disconnect: (user: string) => void,
): () => void {
  return devices.onChange((change) => {
    if (change.kind === 'added') return;
    const { annotations, name } = change.object.metadata;
    const before = change.kind === 'modified' ? change.previous.metadata.annotations : undefined;
    const key = annotations?.[deviceKeyAnnotation];
    if (change.kind === 'modified' && before?.[deviceKeyAnnotation] === key) return;
    disconnect(deviceUser(name));
    disconnect(deviceUser(name, 'node'));
  });
}
