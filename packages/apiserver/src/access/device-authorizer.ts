import { deviceKeyAnnotation, fieldValue, revokedDeviceKey } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { Attributes, Authorizer, Decision, ObjectLookup } from './authorizer.ts';

const group = 'tapline.dev';
const roles = [
  { prefix: 'system:device:', group: 'system:devices' },
  { prefix: 'system:node:', group: 'system:nodes' },
] as const;

/** The device's name where the identity is one's, as its certificate says. */
export function deviceNameOf({ user, groups }: Attributes['identity']): string | undefined {
  const role = roles.find((one) => user.startsWith(one.prefix) && groups.includes(one.group));
  return role === undefined ? undefined : user.slice(role.prefix.length);
}

/**
 * Limits a device to its own objects, whatever roles say: its Device, the Installs whose spec.device
 * is itself, and where it is a node its Node and the Attachments and ChannelEdges whose spec.node is
 * itself. A device that was deleted may do nothing, though its certificate is valid,
 * and neither may the old key of one that has enrolled again under the same name.
 */
export function createDeviceAuthorizer(lookup: ObjectLookup): Authorizer {
  return (attributes) => {
    const { identity } = attributes;
    const device = deviceNameOf(identity);
    if (device === undefined) {
      const claims = roles.some((one) => identity.groups.includes(one.group));
      return claims
        ? no(`user ${identity.user} is in a group of devices without being one`)
        : undefined;
    }
    const object = lookup(group, 'devices', device);
    if (object === undefined) return no(`device ${device} does not exist`);
    if (!holdsKey(identity, object)) {
      const revoked = object.metadata.annotations?.[deviceKeyAnnotation] === revokedDeviceKey;
      return no(`device ${device} ${revoked ? 'was revoked' : 'has enrolled with another key'}`);
    }
    if (attributes.group !== group) return no('devices reach their own objects only');
    switch (attributes.resource) {
      case 'devices':
        return ownDevice(attributes, device);
      case 'installs':
        return ownInstalls(attributes, device, lookup);
      case 'nodes':
        return isNode(attributes) ? ownNode(attributes, device) : notNode();
      case 'attachments':
        return isNode(attributes)
          ? ownOfNode(attributes, { node: device, kind: 'Attachments', lookup })
          : notNode();
      case 'channeledges':
        return isNode(attributes)
          ? ownOfNode(attributes, { node: device, kind: 'ChannelEdges', lookup })
          : notNode();
      default:
        return no('devices reach their own objects only');
    }
  };
}

/** Parts of the control plane that act as a device have no certificate to show. */
function holdsKey({ via, key }: Attributes['identity'], device: AnyObject): boolean {
  if (via === 'internal') return true;
  return key !== undefined && device.metadata.annotations?.[deviceKeyAnnotation] === key;
}

function ownDevice({ verb, subresource, name }: Attributes, device: string): Decision {
  if (name !== device) return no('a device reaches its own Device only');
  if (verb === 'get' && (subresource === '' || subresource === 'status')) return yes();
  if ((verb === 'update' || verb === 'patch') && subresource === 'status') return yes();
  return no('a device may read its Device and write its status');
}

function ownInstalls(
  { verb, subresource, name, requiredField }: Attributes,
  device: string,
  lookup: ObjectLookup,
): Decision {
  if ((verb === 'list' || verb === 'watch') && subresource === '') {
    return requiredField?.('spec.device') === device
      ? yes()
      : no(`a device lists and watches Installs with the field selector spec.device=${device}`);
  }
  const writesStatus = (verb === 'update' || verb === 'patch') && subresource === 'status';
  const reads = verb === 'get' && (subresource === '' || subresource === 'status');
  if (!writesStatus && !reads) return no('a device may read its Installs and write their status');
  const install = name === undefined ? undefined : lookup(group, 'installs', name);
  return fieldValue(install, ['spec', 'device']) === device
    ? yes()
    : no('a device reaches Installs of its own only');
}

function isNode({ identity }: Attributes): boolean {
  return identity.groups.includes('system:nodes') && identity.user.startsWith('system:node:');
}

function notNode(): Decision {
  return no('only nodes reach segments');
}

function ownNode({ verb, subresource, name, requiredField }: Attributes, node: string): Decision {
  if ((verb === 'list' || verb === 'watch') && subresource === '') {
    return requiredField?.('metadata.name') === node
      ? yes()
      : no(`a node lists and watches Nodes with the field selector metadata.name=${node}`);
  }
  if (name !== node) return no('a node reaches its own Node only');
  if (verb === 'get' && (subresource === '' || subresource === 'status')) return yes();
  if ((verb === 'update' || verb === 'patch') && subresource === 'status') return yes();
  return no('a node may read its Node and write its status');
}

/** Of the kinds whose spec.node says whose an object is. */
function ownOfNode(
  { verb, subresource, name, requiredField, resource }: Attributes,
  about: { readonly node: string; readonly kind: string; readonly lookup: ObjectLookup },
): Decision {
  const { node, kind, lookup } = about;
  if ((verb === 'list' || verb === 'watch') && subresource === '') {
    return requiredField?.('spec.node') === node
      ? yes()
      : no(`a node lists and watches ${kind} with the field selector spec.node=${node}`);
  }
  const writesStatus = (verb === 'update' || verb === 'patch') && subresource === 'status';
  const reads = verb === 'get' && (subresource === '' || subresource === 'status');
  if (!writesStatus && !reads) return no(`a node may read its ${kind} and write their status`);
  const object = name === undefined ? undefined : lookup(group, resource, name);
  return fieldValue(object, ['spec', 'node']) === node
    ? yes()
    : no(`a node reaches ${kind} of its own only`);
}

function yes(): Decision {
  return { allowed: true, reason: 'the device owns it' };
}

function no(reason: string): Decision {
  return { allowed: false, reason };
}
