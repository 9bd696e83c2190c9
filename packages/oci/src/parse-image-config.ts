import { defined } from '@tapline/base';
import type { ContainerConfig, HistoryEntry, ImageConfig } from './image-config.ts';
import {
  invalidField,
  type JsonField,
  member,
  optional,
  parseJsonDocument,
  readArray,
  readBoolean,
  readMap,
  readObject,
  readString,
  readStringMap,
  readStrings,
} from './json-field.ts';
import { readDigest, readPlatform } from './read-descriptor.ts';

const maxConfigBytes = 4 * 1024 * 1024;
const maxLayers = 4096;

/**
 * Parses the config of an image, OCI's or Docker's; null fields, which Docker writes, count as
 * absent. Throws `image_config_invalid` naming the field.
 */
export function parseImageConfig(input: Uint8Array | string): ImageConfig {
  const root = parseJsonDocument(input, {
    code: 'image_config_invalid',
    name: 'config',
    maxBytes: maxConfigBytes,
  });
  const rootfs = member(root, 'rootfs');
  const type = member(rootfs, 'type');
  if (type.value !== 'layers') throw invalidField(type, '"layers"');
  return {
    ...readPlatform(root),
    rootfs: {
      type: 'layers',
      diff_ids: readArray(member(rootfs, 'diff_ids'), { max: maxLayers, read: readDigest }),
    },
    ...defined({
      created: optional(root, 'created', readString),
      author: optional(root, 'author', readString),
      config: optional(root, 'config', readContainerConfig),
      history: optional(root, 'history', readHistory),
    }),
  };
}

function readContainerConfig(field: JsonField): ContainerConfig {
  return defined({
    Env: optional(field, 'Env', readStrings),
    Entrypoint: optional(field, 'Entrypoint', readStrings),
    Cmd: optional(field, 'Cmd', readStrings),
    User: optional(field, 'User', readString),
    WorkingDir: optional(field, 'WorkingDir', readString),
    Labels: optional(field, 'Labels', readStringMap),
    ExposedPorts: optional(field, 'ExposedPorts', readSet),
    Volumes: optional(field, 'Volumes', readSet),
    StopSignal: optional(field, 'StopSignal', readString),
  });
}

/** Go writes a set as an object with empty objects for values. */
function readSet(field: JsonField): Readonly<Record<string, object>> {
  return readMap(field, readObject);
}

function readHistory(field: JsonField): readonly HistoryEntry[] {
  return readArray(field, {
    max: 10_000,
    read: (item) =>
      defined({
        created: optional(item, 'created', readString),
        created_by: optional(item, 'created_by', readString),
        author: optional(item, 'author', readString),
        comment: optional(item, 'comment', readString),
        empty_layer: optional(item, 'empty_layer', readBoolean),
      }),
  });
}
