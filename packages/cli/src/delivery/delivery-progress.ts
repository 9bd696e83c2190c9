import { type Delivery, findCondition } from '@tapline/resources';

/** Where a delivery stands, for whoever waits for it. */
export type DeliveryProgress =
  | { readonly kind: 'waiting'; readonly text: string; readonly done: number; readonly of: number }
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    };

/** Reads the status of the generation asked for; an older status is no answer yet. */
export function deliveryProgress(delivery: Delivery, generation: number): DeliveryProgress {
  const { status } = delivery;
  if (status === undefined || (status.observedGeneration ?? 0) < generation) {
    return { kind: 'waiting', text: 'accepted', done: 0, of: 0 };
  }
  const ready = findCondition(status.conditions, 'Ready');
  if (ready?.status === 'True') return { kind: 'ready' };
  const progressing = findCondition(status.conditions, 'Progressing');
  if (progressing?.status === 'False' && ready?.status === 'False') {
    return failure(delivery, ready.message);
  }
  const { counts } = status;
  const text = progressing?.message ?? ready?.message ?? 'in progress';
  return { kind: 'waiting', text, done: counts?.ready ?? 0, of: counts?.desired ?? 0 };
}

/** What failed: the package itself, or the devices, whose first error is then quoted. */
function failure({ status }: Delivery, message: string): DeliveryProgress {
  const { error, counts } = status ?? {};
  if ((counts?.failed ?? 0) === 0 && error !== undefined) {
    const { code, hint } = error;
    return {
      kind: 'failed',
      code,
      message: error.message,
      ...(hint === undefined ? {} : { hint }),
    };
  }
  const [firstLine = ''] = (error?.message ?? '').split('\n');
  const quoted = error === undefined ? '' : `\n  ${error.code}: ${firstLine}`;
  return { kind: 'failed', code: 'not_ready', message: `${message}${quoted}` };
}
