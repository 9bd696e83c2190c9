import { observationCommands } from '@tapline/segments';
import { expect, test } from 'vitest';
import { readNode } from './observe-kernel.ts';

const names = [...Object.keys(observationCommands), 'filters', 'routes'];

test.each(names)(
  'a node that was read without %s is not one that has none of it',
  async (missing) => {
    const outputs = Object.fromEntries(names.map((name) => [name, '[]']));
    const { [missing]: _, ...rest } = outputs;
    const helper = { read: () => Promise.resolve(rest) };
    await expect(readNode(helper, [])).rejects.toMatchObject({
      code: 'program_failed',
      message: `the node was read without ${missing}`,
    });
  },
);
