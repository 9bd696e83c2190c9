import { apiError, qualifiedResource } from '../api-error.ts';
import type { Attributes } from './authorizer.ts';

/** The refusal, in Kubernetes's words. */
export function forbidden(attributes: Attributes, kind: string, reason: string): Error {
  const { identity, verb, group, resource, subresource, namespace, name } = attributes;
  const about = { group, kind, plural: resource };
  const asked = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope =
    namespace === undefined
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(namespace)}`;
  const which = name === undefined ? '' : ` "${name}"`;
  return apiError(
    'forbidden',
    `${qualifiedResource(about)}${which} is forbidden: User ${JSON.stringify(identity.user)} cannot ${verb} resource ${JSON.stringify(asked)} in API group ${JSON.stringify(group)} ${scope}: ${reason}`,
    { about, ...(name === undefined ? {} : { name }) },
  );
}
