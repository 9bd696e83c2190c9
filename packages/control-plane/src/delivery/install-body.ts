import type { NewObject } from '@tapline/client';
import { defined, TaplineError } from '@tapline/base';
import {
  type Delivery,
  deliveryResource,
  type DeliveryStatus,
  type Device,
  formulaObjectName,
  installName,
  type InstallSpec,
  type PinnedImage,
} from '@tapline/resources';
import { traceParentAnnotation } from '@tapline/telemetry';
import { ownerReference } from '../garbage-collection/owner-reference.ts';
import { installTraceParent } from '../telemetry/delivery-traces.ts';
import { assignedAtAnnotation } from './device-state.ts';

/** Kubernetes: values of labels have at most 63 characters; names may be longer. */
const maxLabelLength = 63;

/** The Install that a delivery's revision means for a device. */
export function installBody(
  delivery: Delivery,
  device: Device,
  pinned: {
    readonly revision: number;
    readonly status: DeliveryStatus;
    readonly images: readonly PinnedImage[];
    readonly nowMs: number;
  },
): NewObject<InstallSpec> & { readonly metadata: { readonly name: string } } {
  const { formula } = delivery.spec.package;
  const { version, repository } = pinned.status;
  const { platform } = device.spec;
  const image = pinned.images.find((candidate) => candidate.platform === platform);
  if (image === undefined || version === undefined || repository === undefined) {
    throw new TaplineError(
      'no_image_for_platform',
      `revision ${pinned.revision} of delivery ${delivery.metadata.name} has no image for ${platform}`,
    );
  }
  const name = installName(device.metadata.name, formula);
  const { run, ports, drainSeconds, health, limits, network, segment } = delivery.spec;
  const labels = {
    'tapline.dev/delivery': delivery.metadata.name,
    'tapline.dev/device': device.metadata.name,
    'tapline.dev/formula': formulaObjectName(formula),
  };
  return {
    metadata: {
      name,
      labels: Object.fromEntries(
        Object.entries(labels).filter(([, value]) => value.length <= maxLabelLength),
      ),
      annotations: {
        [assignedAtAnnotation]: new Date(pinned.nowMs).toISOString(),
        [traceParentAnnotation]: installTraceParent(delivery, { name, revision: pinned.revision }),
      },
      ownerReferences: [ownerReference(deliveryResource, delivery)],
    },
    spec: {
      device: device.metadata.name,
      delivery: delivery.metadata.name,
      formula,
      version,
      revision: pinned.revision,
      image: { ...image, repository },
      ...defined({ run, ports, drainSeconds, health, limits, network, segment }),
    },
  };
}
