import { isPlistDictionary, type PlistDictionary, type PlistValue } from '../plist/plist-value.ts';
import { appleOmissions } from './apple-omissions.ts';
import { applePayloads } from './apple-payloads.ts';
import type { KeySchema, PayloadSchema, SystemVersions } from './payload-schema.ts';
import type { ProfileFinding } from './profile-finding.ts';
import { isOlder, type ProfileTarget } from './system-version.ts';

interface Check {
  readonly target: ProfileTarget | undefined;
  readonly findings: ProfileFinding[];
}

/**
 * What a payload of `type` holds against the schema that Apple publishes: keys, types, values,
 * ranges, and with a target what its system does not know. TopLevel is the profile itself.
 */
export function checkPayload(
  type: string,
  payload: PlistDictionary,
  { target }: { readonly target?: ProfileTarget } = {},
): readonly ProfileFinding[] {
  const schema = schemaOf(type);
  const findings: ProfileFinding[] = [];
  if (schema === undefined) {
    const message = `${type} is no payload that is known here`;
    return [{ severity: 'error', code: 'payload-unknown', path: type, message }];
  }
  const check = { target, findings };
  const missing = unsupported(schema.os, target);
  if (missing !== undefined) {
    const message = `${type} ${missing}`;
    findings.push({ severity: 'error', code: 'payload-unsupported', path: type, message });
  }
  checkDictionary(payload, { keys: schema.keys, path: type }, check);
  return findings;
}

/** Keys that every payload has beside its own; a VPN for apps is a VPN with more keys. */
function schemaOf(type: string): PayloadSchema | undefined {
  const own = Object.hasOwn(applePayloads, type) ? applePayloads[type] : undefined;
  if (own === undefined || type === 'TopLevel') return own;
  const common = applePayloads['CommonPayloadKeys']?.keys ?? [];
  const vpn =
    type === 'com.apple.vpn.managed.applayer'
      ? (applePayloads['com.apple.vpn.managed']?.keys ?? [])
      : [];
  const known = new Set(own.keys.map(({ key }) => key));
  const others = [...vpn, ...common].filter(({ key }) => !known.has(key));
  return { os: own.os, keys: [...own.keys, ...others] };
}

function checkDictionary(
  value: PlistDictionary,
  schema: { readonly keys: readonly KeySchema[]; readonly path: string },
  check: Check,
): void {
  const { path } = schema;
  // A VPN for apps has the dictionaries of any VPN.
  const place = path.replace('.applayer.', '.');
  const omitted = Object.hasOwn(appleOmissions, place) ? appleOmissions[place] : undefined;
  const keys = omitted === undefined ? schema.keys : [...schema.keys, ...omitted];
  const any = keys.find(({ key }) => key === 'ANY');
  for (const { key, required } of keys) {
    if (required !== true || key === 'ANY' || Object.hasOwn(value, key)) continue;
    add(check, 'key-missing', { path: `${path}.${key}`, message: `${path} lacks ${key}` });
  }
  for (const [key, member] of Object.entries(value)) {
    const known = keys.find((one) => one.key === key) ?? any;
    const where = `${path}.${key}`;
    if (known === undefined) {
      add(check, 'key-unknown', { path: where, message: `${path} has no key ${key}` });
    } else {
      checkValue(member, { schema: known, path: where }, check);
    }
  }
}

function checkValue(
  value: PlistValue,
  about: { readonly schema: KeySchema; readonly path: string },
  check: Check,
): void {
  const { schema, path } = about;
  const missing = unsupported(schema.os, check.target);
  if (missing !== undefined) add(check, 'key-unsupported', { path, message: `${path} ${missing}` });
  const type = typeOf(value);
  // A whole number is a real, too.
  const fits = type === schema.type || (type === 'integer' && schema.type === 'real');
  if (schema.type !== 'any' && !fits) {
    const message = `${path} must be of type ${schema.type}, not ${type}`;
    add(check, 'type-wrong', { path, message });
    return;
  }
  checkContent(value, about, check);
  const { keys } = schema;
  if (keys === undefined) return;
  if (isPlistDictionary(value)) {
    checkDictionary(value, { keys, path }, check);
  } else if (Array.isArray(value)) {
    checkElements(value as readonly PlistValue[], { keys, path }, check);
  }
}

function checkElements(
  items: readonly PlistValue[],
  schema: { readonly keys: readonly KeySchema[]; readonly path: string },
  check: Check,
): void {
  const { keys, path } = schema;
  const [element] = keys;
  if (element === undefined) return;
  const { least = 0, most = Number.POSITIVE_INFINITY } = element;
  if (items.length < least || items.length > most) {
    const message = `${path} has ${items.length} elements, not ${least} to ${most}`;
    add(check, 'count-wrong', { path, message });
  }
  items.forEach((item, index) => {
    checkValue(item, { schema: element, path: `${path}[${index}]` }, check);
  });
}

function checkContent(
  value: PlistValue,
  about: { readonly schema: KeySchema; readonly path: string },
  check: Check,
): void {
  const { schema, path } = about;
  const { values, min, max, form } = schema;
  const plain =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (values !== undefined && plain && !values.includes(value)) {
    const message = `${path} is ${JSON.stringify(value)}, not one of ${values.join(', ')}`;
    add(check, 'value-not-allowed', { path, message });
  }
  if (typeof value === 'number') {
    const low = min !== undefined && value < min;
    if (low || (max !== undefined && value > max)) {
      const message = `${path} is ${value}, not from ${min ?? '-∞'} to ${max ?? '∞'}`;
      add(check, 'out-of-range', { path, message });
    }
  }
  if (typeof value === 'string' && form !== undefined && !new RegExp(form).test(value)) {
    const message = `${path} is ${JSON.stringify(value.slice(0, 60))}, which does not match ${form}`;
    add(check, 'form-wrong', { path, message });
  }
}

function typeOf(value: PlistValue): KeySchema['type'] {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real';
  if (value instanceof Date) return 'date';
  if (value instanceof Uint8Array) return 'data';
  return Array.isArray(value) ? 'array' : 'dictionary';
}

function unsupported(
  os: SystemVersions | undefined,
  target: ProfileTarget | undefined,
): string | undefined {
  if (os === undefined || target === undefined) return undefined;
  const introduced = os[target.system];
  if (introduced === undefined) return undefined;
  if (introduced === 'n/a') return `is not there on ${target.system}`;
  return isOlder(target.version, introduced)
    ? `came with ${target.system} ${introduced}, after ${target.version}`
    : undefined;
}

function add(
  check: Check,
  code: ProfileFinding['code'],
  about: { readonly path: string; readonly message: string },
): void {
  // Systems pass over keys that they do not know.
  const harmless = code === 'key-unknown' || code === 'key-unsupported';
  check.findings.push({ severity: harmless ? 'warning' : 'error', code, ...about });
}
