import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildExampleNode } from './support/example-node.ts';
import { openNamespace } from './support/open-namespace.ts';
import { readOutputs } from './support/read-outputs.ts';

/** `node tests/segments/record-observation.ts`, as root: what this machine's programs print. */
const file = join(
  dirname(fileURLToPath(import.meta.url)),
  '../../packages/segments/src/observe/fixtures/debian-12.json',
);
using node = openNamespace('record');
buildExampleNode(node);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(readOutputs(node), undefined, 2)}\n`);
