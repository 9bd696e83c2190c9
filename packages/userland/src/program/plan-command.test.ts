import { expect, test } from 'vitest';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import { planCommand } from './plan-command.ts';

const bytes = new Uint8Array(1);
const files = createMemoryFileSystem(
  {
    '/bin/sh': { bytes, executable: true },
    '/opt/tool/bin/jq': { bytes, executable: true },
  },
  { modifiedMs: 0 },
);
const none = { files, config: {}, argv: [], env: [], folder: '' };

test('the image says what is run, and where, unless something else is asked for', () => {
  const config = {
    Entrypoint: ['jq'],
    Cmd: ['.'],
    Env: ['PATH=/opt/tool/bin', 'A=1'],
    WorkingDir: '/opt',
  };
  expect(planCommand({ ...none, config })).toMatchObject({
    path: '/opt/tool/bin/jq',
    argv: ['jq', '.'],
    folder: '/opt',
  });
  expect(
    planCommand({ ...none, config, argv: ['sh', '-i'], env: ['PATH=/bin'], folder: '/' }),
  ).toMatchObject({ path: '/bin/sh', argv: ['sh', '-i'], folder: '/' });
});

test('without any command it says what to do', () => {
  expect(() => planCommand(none)).toThrow(expect.objectContaining({ code: 'usage' }));
});
