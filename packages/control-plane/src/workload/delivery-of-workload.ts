import type { NewObject } from '@tapline/client';
import { defined } from '@tapline/base';
import {
  type DeliverySpec,
  type Workload,
  workloadImagePackage,
  workloadLabel,
  workloadResource,
} from '@tapline/resources';
import { traceParentAnnotation } from '@tapline/telemetry';
import { ownerReference } from '../garbage-collection/owner-reference.ts';

/** Annotation of a workload's Delivery: what it was made from, so that it is written once. */
export const workloadTemplateAnnotation = 'tapline.dev/workload-template';

const mostWaves = 100;
// The Delivery of a workload has this behind the workload's name, which has no dot.
const suffix = '.workload';

export function workloadDeliveryName(workload: string): string {
  return `${workload}${suffix}`;
}

export function workloadOfDelivery(delivery: string): string | undefined {
  return delivery.endsWith(suffix) ? delivery.slice(0, -suffix.length) : undefined;
}

/**
 * The Delivery that carries a workload out: to the devices that bear its label, all at once while
 * nothing of it serves yet, and some at a time after that.
 */
export function deliveryOfWorkload(
  workload: Workload,
  { isServing }: { readonly isServing: boolean },
):
  | (NewObject<DeliverySpec> & {
      readonly metadata: { readonly name: string; readonly annotations: Record<string, string> };
    })
  | undefined {
  const { metadata, spec } = workload;
  const { health, limits, network, segment, ports, drainSeconds, replicas, atOnce } = spec;
  const wanted =
    spec.image === undefined
      ? spec.package
      : { formula: workloadImagePackage(metadata.name), image: spec.image };
  // Of an image what runs may be its own program.
  const run = spec.run ?? (spec.image === undefined ? undefined : { restart: 'Always' as const });
  if (wanted === undefined || run === undefined) return undefined;
  const trace = metadata.annotations?.[traceParentAnnotation];
  const template = `${metadata.uid ?? ''}.${metadata.generation ?? 0}.${isServing ? 'some' : 'all'}`;
  return {
    metadata: {
      name: workloadDeliveryName(metadata.name),
      annotations: {
        [workloadTemplateAnnotation]: template,
        ...(trace !== undefined && { [traceParentAnnotation]: trace }),
      },
      ownerReferences: [ownerReference(workloadResource, workload)],
    },
    spec: {
      package: wanted,
      selector: {
        matchExpressions: [{ key: workloadLabel(metadata.name), operator: 'Exists' }],
      },
      rollout: 1,
      run,
      strategy: {
        waves: isServing ? waves(replicas, atOnce) : ['100%'],
        quorum: '100%',
        errorBudget: 0,
        progressDeadlineSeconds: 600,
      },
      ...defined({ health, limits, network, segment, ports, drainSeconds }),
    },
  };
}

function waves(replicas: number, atOnce: number): (number | string)[] {
  const steps: (number | string)[] = [];
  for (
    let reached = atOnce;
    reached < replicas && steps.length < mostWaves - 1;
    reached += atOnce
  ) {
    steps.push(reached);
  }
  return [...steps, '100%'];
}
