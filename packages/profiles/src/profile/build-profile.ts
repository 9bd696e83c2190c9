import { defined, TaplineError } from '@tapline/base';
import { buildPayload } from '../payloads/build-payload.ts';
import { checkRules } from '../payloads/check-rules.ts';
import type { PayloadContent } from '../payloads/payload-content.ts';
import { payloadReferences } from '../payloads/payload-references.ts';
import { formatPlist } from '../plist/format-plist.ts';
import type { PlistDictionary } from '../plist/plist-value.ts';
import { checkPayload } from '../schema/check-payload.ts';
import type { ProfileFinding } from '../schema/profile-finding.ts';
import type { ProfileTarget } from '../schema/system-version.ts';
import { stableUuid } from './stable-uuid.ts';

export interface ProfileContent {
  /** Reverse DNS. A device replaces the profile that it has under the same one. */
  readonly identifier: string;
  /** What the device shows. */
  readonly name: string;
  readonly organization?: string;
  readonly description?: string;
  /** When the device takes it off by itself. */
  readonly removalDate?: Date;
  readonly payloads: readonly PayloadContent[];
}

export interface BuiltProfile {
  /** A property list in XML, to be signed. */
  readonly bytes: Uint8Array;
  readonly uuid: string;
  /** Warnings: what is passed over by the target's system. */
  readonly findings: readonly ProfileFinding[];
}

const maxPayloads = 100;
const idForm = /^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/;

/**
 * A configuration profile. Of the same content it is the same, byte for byte. Throws
 * `profile_invalid` with every finding in its details.
 */
export function buildProfile(
  content: ProfileContent,
  { target }: { readonly target?: ProfileTarget } = {},
): BuiltProfile {
  checkNames(content);
  const { identifier, payloads } = content;
  const references = payloadReferences(identifier, payloads);
  const findings: ProfileFinding[] = payloads.flatMap(checkRules);
  const options = target === undefined ? {} : { target };
  const built = payloads.map((payload): PlistDictionary => {
    const { type, keys } = buildPayload(payload, references);
    const whole = {
      PayloadType: type,
      PayloadVersion: 1,
      PayloadIdentifier: `${identifier}.${payload.id}`,
      PayloadUUID: references.uuid(payload.id),
      PayloadDisplayName: payload.name,
      ...keys,
    };
    findings.push(...checkPayload(type, whole, options));
    return whole;
  });
  const uuid = stableUuid(identifier);
  const profile = {
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: identifier,
    PayloadUUID: uuid,
    PayloadDisplayName: content.name,
    ...defined({
      PayloadOrganization: content.organization,
      PayloadDescription: content.description,
      RemovalDate: content.removalDate,
    }),
    PayloadContent: built,
  };
  findings.push(...checkPayload('TopLevel', profile, options));
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first !== undefined) {
    const more = errors.length === 1 ? '' : `, and ${errors.length - 1} more`;
    throw invalid(`${first.message}${more}`, { findings: errors });
  }
  return { bytes: Buffer.from(formatPlist(profile)), uuid, findings };
}

function checkNames({ identifier, payloads }: ProfileContent): void {
  if (!/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(identifier) || identifier.length > 200) {
    throw invalid(
      `identifier ${identifier.slice(0, 80)} is no reverse DNS name such as com.example.tv`,
    );
  }
  if (payloads.length === 0 || payloads.length > maxPayloads) {
    throw invalid(`a profile has 1 to ${maxPayloads} payloads, not ${payloads.length}`);
  }
  const ids = new Set<string>();
  for (const { id } of payloads) {
    if (!idForm.test(id))
      throw invalid(`payload id "${id.slice(0, 80)}" must match ${idForm.source}`);
    if (ids.has(id)) throw invalid(`two payloads have the id ${id}`);
    ids.add(id);
  }
}

function invalid(message: string, details: Readonly<Record<string, unknown>> = {}): TaplineError {
  return new TaplineError('profile_invalid', message, { details });
}
