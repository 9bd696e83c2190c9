import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type SelfTest, withShells } from './self-test.ts';

/** The programs that its authors time it by and compare it with. */
export const bcSelfTest: SelfTest = {
  name: 'bc',
  source: {
    path: 'b/bc/bc_1.07.1.orig.tar.gz',
    sha256: '62adfca89b0a1c0164c2cdca59ca210c1d44c3ffc46daf9931cf4942664cb02a',
  },
  parts: ['Test/*'],
  packages: withShells('bc', 'libreadline8'),
  tests: (folder) =>
    readdirSync(join(folder, 'Test'))
      .filter((name) => name.endsWith('.b'))
      .toSorted(),
  script: (test) => `cd /work/bc/Test; { cat ${test}; echo quit; } | bc -l 2>&1; echo "exit $?"`,
  shell: '/bin/dash',
  sample: ['sqrt1.b'],
  passes: /^exit 0$/m,
};
