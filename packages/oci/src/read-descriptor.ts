import { defined } from '@tapline/base';
import type { Descriptor } from './descriptor.ts';
import { type Digest, parseDigest } from './digest.ts';
import {
  invalidField,
  type JsonField,
  member,
  optional,
  readSize,
  readString,
  readStringMap,
  readStrings,
} from './json-field.ts';
import type { Platform } from './platform.ts';

// RFC 6838 §4.2: type and subtype are restricted names of at most 127 characters.
const mediaTypePattern =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export function readDescriptor(field: JsonField): Descriptor {
  return {
    mediaType: readMediaType(member(field, 'mediaType')),
    digest: readDigest(member(field, 'digest')),
    size: readSize(member(field, 'size')),
    ...defined({
      urls: optional(field, 'urls', readStrings),
      annotations: optional(field, 'annotations', readStringMap),
      data: optional(field, 'data', readBase64),
      artifactType: optional(field, 'artifactType', readString),
      platform: optional(field, 'platform', readPlatform),
    }),
  };
}

export function readMediaType(field: JsonField): string {
  const text = readString(field);
  if (!mediaTypePattern.test(text)) throw invalidField(field, 'a media type');
  return text;
}

export function readDigest(field: JsonField): Digest {
  try {
    return parseDigest(readString(field));
  } catch (cause) {
    throw Object.assign(invalidField(field, 'a digest'), { cause });
  }
}

function readBase64(field: JsonField): string {
  const text = readString(field);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw invalidField(field, 'base64');
  }
  return text;
}

export function readPlatform(field: JsonField): Platform {
  return {
    os: readString(member(field, 'os')),
    architecture: readString(member(field, 'architecture')),
    ...defined({
      variant: optional(field, 'variant', readString),
      'os.version': optional(field, 'os.version', readString),
      'os.features': optional(field, 'os.features', readStrings),
    }),
  };
}
