import { expect, test } from 'vitest';
import type { LayerDirectory, LayerNode } from '../files/layer.ts';
import { nodeAt } from './node-at.ts';

const base = { mode: 0o755, uid: 0, gid: 0, modifiedMs: 0 };
const folder = (list: Readonly<Record<string, LayerNode>>): LayerDirectory => ({
  ...base,
  kind: 'directory',
  list: () => new Map(Object.entries(list)),
});
const link = (target: string): LayerNode => ({ ...base, kind: 'link', target });
const file: LayerNode = { ...base, kind: 'file', size: 0, load: () => new Uint8Array(0) };

test('links are followed, of folders and of files, and to nowhere for ever', () => {
  const files = folder({
    bin: link('usr/bin'),
    usr: folder({ bin: folder({ dash: file, sh: link('dash'), up: link('../bin/sh') }) }),
    loop: link('/loop'),
  });
  expect(nodeAt(files, '/bin/sh')).toBe(file);
  expect(nodeAt(files, '/bin/up')).toBe(file);
  expect(nodeAt(files, '/bin/none')).toBeUndefined();
  expect(nodeAt(files, '/usr/bin/dash/more')).toBeUndefined();
  expect(nodeAt(files, '/loop')).toBeUndefined();
});
