import { isTaplineError } from '@tapline/base';
import type { ObjectOf, ResourceClient } from '@tapline/client';
import type { ResourceDefinition } from '@tapline/resources';

/**
 * Writes a status that nobody else writes: where the object changed meanwhile the write is made
 * again on its newest version, unless another object took its name. Undefined when it is gone.
 */
export async function writeStatus<D extends ResourceDefinition>(
  client: ResourceClient,
  definition: D,
  write: {
    readonly object: ObjectOf<D>;
    readonly status: ObjectOf<D>['status'];
    readonly signal?: AbortSignal;
  },
): Promise<ObjectOf<D> | undefined> {
  const { status } = write;
  const options = write.signal === undefined ? {} : { signal: write.signal };
  let { object } = write;
  for (;;) {
    try {
      return await client.updateStatus(definition, { ...object, status }, options);
    } catch (error) {
      if (isTaplineError(error, 'not_found')) return undefined;
      if (!isTaplineError(error, 'conflict')) throw error;
    }
    const { name, namespace, uid } = write.object.metadata;
    try {
      object = await client.get(definition, name, {
        ...options,
        ...(namespace === undefined ? {} : { namespace }),
      });
    } catch (error) {
      if (isTaplineError(error, 'not_found')) return undefined;
      throw error;
    }
    if (object.metadata.uid !== uid) return undefined;
  }
}
