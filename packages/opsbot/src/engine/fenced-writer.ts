import { isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  allocationResource,
  type ApiObject,
  attachmentResource,
  channelResource,
  deliveryResource,
  deviceResource,
  installResource,
  nodeResource,
  type ResourceDefinition,
  segmentResource,
  workloadResource,
} from '@tapline/resources';
import { traceParentAnnotation } from '@tapline/telemetry';
import type { ObjectRef } from '../plan/operation.ts';

/** Annotation of what OpsBot has changed: the epoch of the leader who did. */
export const epochAnnotation = 'ops.tapline.dev/epoch';
/** What the audit log takes as the reason of a write. */
const reasonAnnotation = 'tapline.dev/reason';

const definitions: Readonly<Record<ObjectRef['kind'], ResourceDefinition>> = {
  Allocation: allocationResource,
  Attachment: attachmentResource,
  Channel: channelResource,
  Delivery: deliveryResource,
  Device: deviceResource,
  Install: installResource,
  Node: nodeResource,
  Segment: segmentResource,
  Workload: workloadResource,
};

const maxAttempts = 20;

/** Who writes: with what epoch, and for which remediation. */
export interface Author {
  readonly client: ResourceClient;
  readonly epoch: number;
  readonly remediation: string;
  /** What a Delivery carries that is changed: its trace goes on below the step. */
  readonly traceParent?: string;
  readonly signal: AbortSignal;
}

/**
 * Changes an object under an epoch. The epoch stands on the object itself and is compared in the same
 * compare-and-swap that changes it: a leader who was stopped for any time between its look and its
 * write finds the object changed, and then another epoch on it. Throws `ops_fenced` and `ops_replaced`.
 */
export async function changeFenced(
  author: Author,
  { object: ref, uid }: { readonly object: ObjectRef; readonly uid: string },
  change: (object: ApiObject) => ApiObject,
): Promise<ApiObject> {
  const { client, signal } = author;
  const definition = definitions[ref.kind];
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const found = await client.get(definition, ref.name, { signal });
    checkFence(found, author, uid);
    try {
      return await client.update(definition, marked(change(found), author), { signal });
    } catch (error) {
      if (!isTaplineError(error, 'conflict')) throw error;
    }
  }
  throw new TaplineError(
    'conflict',
    `${ref.kind} ${ref.name} changed ${maxAttempts} times while it was to be written`,
  );
}

/** Whoever led before can do nothing to this object any more; nothing else changes. */
export async function fence(author: Author, object: ObjectRef): Promise<void> {
  try {
    await changeFenced(author, { object, uid: '' }, (found) => found);
  } catch (error) {
    if (!isTaplineError(error, 'not_found')) throw error;
  }
}

/** Deletes it as it was seen: anybody's change in between keeps it. */
export async function deleteFenced(
  author: Author,
  { object: ref, uid }: { readonly object: ObjectRef; readonly uid: string },
): Promise<void> {
  const { client, signal } = author;
  const definition = definitions[ref.kind];
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    try {
      const found = await client.get(definition, ref.name, { signal });
      checkFence(found, author, uid);
      const { resourceVersion = '', uid: seen = '' } = found.metadata;
      await client.delete(definition, ref.name, { signal, resourceVersion, uid: seen });
      return;
    } catch (error) {
      // Gone, or another by its name: what was meant is not there any more.
      if (isTaplineError(error, 'not_found') || isTaplineError(error, 'ops_replaced')) return;
      if (!isTaplineError(error, 'conflict')) throw error;
    }
  }
}

interface CreationMetadata {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a created object bears, so that the store can refuse it from who does not lead. */
export function creationMetadata(name: string, author: Author): CreationMetadata {
  return {
    name,
    labels: { [remediationLabel]: author.remediation.slice(0, 63) },
    annotations: {
      [epochAnnotation]: String(author.epoch),
      [reasonAnnotation]: `remediation ${author.remediation}`,
    },
  };
}

/** Label of what a remediation made. */
export const remediationLabel = 'ops.tapline.dev/remediation';

function checkFence({ kind, metadata }: ApiObject, { epoch }: Author, uid: string): void {
  if (uid !== '' && metadata.uid !== uid) {
    throw new TaplineError(
      'ops_replaced',
      `${kind} ${metadata.name} is another one than the plan was made for`,
    );
  }
  const seen = Number(metadata.annotations?.[epochAnnotation] ?? 0);
  if (seen > epoch) {
    throw new TaplineError(
      'ops_fenced',
      `epoch ${epoch} is over: ${kind} ${metadata.name} was written under epoch ${seen}`,
    );
  }
}

function marked(object: ApiObject, { epoch, remediation, traceParent }: Author): ApiObject {
  const isTraced = object.kind === 'Delivery' && traceParent !== undefined;
  const annotations = {
    ...object.metadata.annotations,
    ...(isTraced && { [traceParentAnnotation]: traceParent }),
    [epochAnnotation]: String(epoch),
    [reasonAnnotation]: `remediation ${remediation}`,
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
