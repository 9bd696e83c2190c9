import { expect, test } from 'vitest';
import { type ServedNode, servedFolder } from './served-folder.ts';

const base = { mode: 0o755, uid: 0, gid: 0, modifiedMs: 5 };
const served: Readonly<Record<string, unknown>> = {
  nodes: { ...base, kind: 'directory', node: 0 } satisfies ServedNode,
  'nodes/0': {
    bin: { ...base, kind: 'directory', node: 1 },
    also: { ...base, kind: 'file', node: 2, size: 3 },
  },
  'nodes/1': {
    sh: { ...base, kind: 'file', node: 2, size: 3 },
    'l\u00e4': { ...base, kind: 'link', node: 3, target: 'sh' },
  },
  'content/2': 'abc',
};

test('a folder is fetched as it is looked at, each part of it once', () => {
  const asked: string[] = [];
  const root = servedFolder((path) => {
    asked.push(path);
    const found = served[path];
    return new TextEncoder().encode(typeof found === 'string' ? found : JSON.stringify(found));
  });
  expect(asked).toEqual(['nodes']);
  const bin = root.list().get('bin');
  if (bin?.kind !== 'directory') throw new Error('bin is a folder');
  expect([...bin.list().keys(), ...bin.list().keys()]).toEqual(['sh', 'lä', 'sh', 'lä']);
  expect(bin.list().get('lä')).toMatchObject({ kind: 'link', target: 'sh' });
  const file = bin.list().get('sh');
  // Two names of one file are one node.
  expect(root.list().get('also')).toBe(file);
  if (file?.kind !== 'file') throw new Error('sh is a file');
  expect(new TextDecoder().decode(file.load())).toBe('abc');
  expect(asked).toEqual(['nodes', 'nodes/0', 'nodes/1', 'content/2']);
});
