import type { EncryptionKey, PlaylistStart } from '../playlist/media-playlist.ts';
import { defined } from '@tapline/base';
import { parseInteger } from './parse-number.ts';
import type { Reading } from './reading.ts';
import type { TagAttributes } from './tag-attributes.ts';
import type { Variables } from './variables.ts';

/** What a tag's attributes are read with. */
export interface TagContext {
  readonly reading: Reading;
  readonly variables: Variables;
}

export function readVersion(value: string, reading: Reading): number {
  const version = parseInteger(value);
  if (version !== undefined && version >= 1) return version;
  reading.fail('tag-invalid', `EXT-X-VERSION:${value.slice(0, 20)} must be a number from 1`);
  return 1;
}

export function readStart(attributes: TagAttributes): PlaylistStart | undefined {
  const timeOffset = attributes.requiredSignedDecimal('TIME-OFFSET');
  return timeOffset === undefined ? undefined : { timeOffset, precise: attributes.flag('PRECISE') };
}

/** EXT-X-DEFINE: a value, one of the multivariant playlist's, or a parameter of the address. */
export function readDefinition(
  attributes: TagAttributes,
  { reading, variables }: TagContext,
): void {
  const name = attributes.string('NAME');
  const importName = attributes.string('IMPORT');
  const parameter = attributes.string('QUERYPARAM');
  const given = [name, importName, parameter].filter((one) => one !== undefined);
  const [defines] = given;
  if (defines === undefined || given.length !== 1) {
    const message = 'EXT-X-DEFINE needs one of NAME, IMPORT and QUERYPARAM';
    reading.fail('attribute-missing', message);
    return;
  }
  if (variables.has(defines)) {
    reading.fail('tag-repeated', `the variable ${defines} is defined twice`);
    return;
  }
  const value =
    name !== undefined
      ? attributes.string('VALUE')
      : importName !== undefined
        ? variables.imported(defines)
        : variables.queryParameter(defines);
  if (value === undefined) {
    const from = name === undefined ? 'there is none to take it from' : 'it has no VALUE';
    reading.fail('variable-undefined', `the variable ${defines} has no value: ${from}`);
    return;
  }
  variables.define(defines, value);
}

export function readKey(attributes: TagAttributes): EncryptionKey | undefined {
  const method = attributes.word('METHOD');
  const uri = method === 'NONE' ? undefined : attributes.requiredString('URI');
  if (method === undefined || (method !== 'NONE' && uri === undefined)) return undefined;
  return {
    method,
    ...defined({
      uri,
      iv: attributes.word('IV'),
      keyFormat: attributes.string('KEYFORMAT'),
      keyFormatVersions: attributes.string('KEYFORMATVERSIONS'),
    }),
  };
}
