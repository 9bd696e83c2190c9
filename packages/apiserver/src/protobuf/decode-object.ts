import { apiError, badRequest } from '../api-error.ts';
import { decodeMessage } from './decode-message.ts';
import { messageTypes } from './message-types.ts';
import { WireReader } from './wire-reader.ts';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');

/** A body in Kubernetes's protobuf (runtime.Unknown after four bytes) as the JSON of the object. */
export function decodeObject(bytes: Buffer): unknown {
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw badRequest('the protobuf body does not begin with k8s and a zero byte');
  }
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  const reader = new WireReader(bytes.subarray(magic.length));
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    if (typeof field.value === 'bigint') continue;
    if (field.number === 1) {
      const type = decodeMessage(field.value, {
        1: ['apiVersion', 'string'],
        2: ['kind', 'string'],
      });
      if (typeof type['apiVersion'] === 'string') apiVersion = type['apiVersion'];
      if (typeof type['kind'] === 'string') kind = type['kind'];
    } else if (field.number === 2) raw = field.value;
  }
  // Whatever the group, DeleteOptions are meta/v1's.
  const key = kind === 'DeleteOptions' ? 'v1/DeleteOptions' : `${apiVersion}/${kind}`;
  const type = Object.hasOwn(messageTypes, key) ? messageTypes[key] : undefined;
  if (type !== undefined) return { apiVersion, kind, ...decodeMessage(raw, type) };
  throw apiError(
    'unsupported_media_type',
    `${key} is not known in protobuf - accepted media types include: application/json`,
  );
}
