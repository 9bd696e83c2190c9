import type { Explanation } from '@tapline/reconcile';
import type { Device, Install } from '@tapline/resources';
import { isSettled } from './is-settled.ts';

/** What a device does next with an Install, and why it has not converged. */
export function explainInstall(install: Install, device: Device | undefined): Explanation {
  const { spec, status, metadata } = install;
  const what = `device ${spec.device}`;
  const presence = device?.status?.presence;
  const wanted = `${spec.formula} ${spec.version} at revision ${spec.revision}`;
  if (metadata.deletionTimestamp !== undefined) {
    return explanation([], {
      what,
      why: 'the install is being removed',
      since: metadata.deletionTimestamp,
    });
  }
  if (isSettled(install)) {
    if (status?.state === 'Ready') return { steps: [], waiting: [] };
    const error = status?.error;
    const why = `${wanted}: ${status?.state} with ${error?.code ?? 'no code'}: ${error?.message ?? ''}`;
    return explanation([], { what, why });
  }
  const steps = [{ kind: 'install', text: nextStep(install) }];
  if (device === undefined) return explanation(steps, { what, why: 'it does not exist' });
  if (presence === undefined) return explanation(steps, { what, why: 'it has never connected' });
  if (!presence.connected)
    return explanation(steps, { what, why: 'it is offline', since: presence.since });
  return explanation(steps, { what, why: `it is connected and works on ${wanted}` });
}

function nextStep({ spec, status }: Install): string {
  const { formula, version, image } = spec;
  const state = status?.observedRevision === spec.revision ? status.state : 'Pending';
  switch (state) {
    case 'Unpacking':
      return `unpack ${image.repository}@${image.digest} on ${spec.device}`;
    case 'Starting':
      return `start ${formula} ${version} on ${spec.device} and check its health`;
    case undefined:
    case 'Pending':
    case 'Pulling':
    case 'Ready':
    case 'RolledBack':
    case 'Failed':
      return `pull ${image.repository}@${image.digest} to ${spec.device}`;
  }
}

function explanation(
  steps: Explanation['steps'],
  waiting: Explanation['waiting'][number],
): Explanation {
  return { steps, waiting: [waiting] };
}
