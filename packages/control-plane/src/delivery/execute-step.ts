import { defined, isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Delivery, type Install, installResource, packageResource } from '@tapline/resources';
import type { Informers } from '../informers.ts';
import { resolveAfterAnnotation } from '../package/resolve-after.ts';
import type { DeliveryStep } from './delivery-step.ts';
import { installBody } from './install-body.ts';
import type { NotificationTimes } from './notification-times.ts';
import type { DeliveryPlan } from './plan-delivery.ts';

/** What executing needs. */
export interface StepExecution {
  readonly client: ResourceClient;
  readonly informers: Pick<Informers, 'installs' | 'packages'>;
  readonly notifications: NotificationTimes;
  readonly delivery: Delivery;
  readonly plan: DeliveryPlan;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Does a step; `raced` when what is stored is not what was planned on, so it takes a new plan. */
export async function executeStep(
  step: DeliveryStep,
  execution: StepExecution,
): Promise<'done' | 'raced'> {
  try {
    await execute(step, execution);
    return 'done';
  } catch (error) {
    if (isTaplineError(error, 'not_found') && step.kind === 'delete-install') return 'done';
    const raced = ['conflict', 'already_exists', 'not_found'];
    if (raced.some((code) => isTaplineError(error, code))) return 'raced';
    throw error;
  }
}

async function execute(step: DeliveryStep, execution: StepExecution): Promise<void> {
  const { client, informers, delivery, plan, nowMs, signal } = execution;
  switch (step.kind) {
    case 'accept-revision':
    case 'pin-revision':
      // Both are in the status that every pass writes.
      return;
    case 'create-package': {
      const { name, formula, version, image, platforms } = step;
      const spec = { formula, ...defined({ version, image }), platforms: [...platforms] };
      const created = await client.create(
        packageResource,
        { metadata: { name }, spec },
        { signal },
      );
      informers.packages.observe(created);
      return;
    }
    case 'widen-package': {
      const found = await client.get(packageResource, step.name, { signal });
      const platforms = [...new Set([...found.spec.platforms, ...step.platforms])].toSorted();
      const spec = { ...found.spec, platforms };
      informers.packages.observe(
        await client.update(packageResource, { ...found, spec }, { signal }),
      );
      return;
    }
    case 'refresh-package': {
      const body = { metadata: { annotations: { [resolveAfterAnnotation]: step.after } } };
      const patch = { kind: 'merge', body } as const;
      informers.packages.observe(await client.patch(packageResource, step.name, patch, { signal }));
      return;
    }
    case 'create-install': {
      const body = installBody(delivery, step.device, { ...plan, nowMs });
      execution.notifications.written(step.name, plan.revision);
      informers.installs.observe(await client.create(installResource, body, { signal }));
      return;
    }
    case 'update-install': {
      const body = installBody(delivery, step.device, { ...plan, nowMs });
      const { labels, annotations } = step.install.metadata;
      const metadata = {
        ...step.install.metadata,
        labels: { ...labels, ...body.metadata.labels },
        annotations: { ...annotations, ...body.metadata.annotations },
      };
      const install: Install = { ...step.install, metadata, spec: body.spec };
      execution.notifications.written(metadata.name, plan.revision);
      informers.installs.observe(await client.update(installResource, install, { signal }));
      return;
    }
    case 'delete-install': {
      const { name, uid } = step.install.metadata;
      await client.delete(installResource, name, { signal, ...(uid === undefined ? {} : { uid }) });
    }
  }
}
