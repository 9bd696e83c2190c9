import {
  type ApiObject,
  apiVersionOf,
  type KindNames,
  type OwnerReference,
} from '@tapline/resources';

/** A reference that lets the object go when its owner, and controller, goes. */
export function ownerReference(
  definition: KindNames,
  owner: Pick<ApiObject, 'metadata'>,
): OwnerReference {
  return {
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
