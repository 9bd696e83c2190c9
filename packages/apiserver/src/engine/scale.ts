import { isRecord } from '@tapline/base';
import { fieldValue } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import { badRequest, notFound } from '../api-error.ts';
import { setOwn } from '../fields/merge-fields.ts';
import type { ServedKind } from '../served-kind.ts';

/** autoscaling/v1 Scale of an object. Fails with `not_found` where the kind has none. */
export function scaleOf(kind: ServedKind, object: AnyObject): AnyObject {
  const { scale } = kind;
  if (scale === undefined) throw notFound(kind, `${object.metadata.name}/scale`);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const read = (path: string): unknown => fieldValue(object, path.split('.'));
  const selector = scale.selector === undefined ? undefined : read(scale.selector);
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: Number(read(scale.specReplicas) ?? 0) },
    status: {
      replicas: Number(read(scale.statusReplicas) ?? 0),
      ...(typeof selector === 'string' ? { selector } : {}),
    },
  };
}

/** The object with the replicas that a Scale asks for. */
export function applyScale(kind: ServedKind, object: AnyObject, scale: unknown): AnyObject {
  if (kind.scale === undefined) throw notFound(kind, `${object.metadata.name}/scale`);
  const replicas = fieldValue(scale, ['spec', 'replicas']);
  if (!Number.isSafeInteger(replicas) || Number(replicas) < 0) {
    throw badRequest(`spec.replicas must be an integer of at least 0, not ${String(replicas)}`);
  }
  const revision = fieldValue(scale, ['metadata', 'resourceVersion']);
  const result = withValue(object, kind.scale.specReplicas.split('.'), replicas) as AnyObject;
  if (typeof revision !== 'string') return result;
  return { ...result, metadata: { ...result.metadata, resourceVersion: revision } };
}

function withValue(target: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  setOwn(result, name, withValue(result[name], rest, value));
  return result;
}
