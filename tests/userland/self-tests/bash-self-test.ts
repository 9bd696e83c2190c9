import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type SelfTest, withShells } from './self-test.ts';

/** As `make check` runs them: by each test's own `run-` script, which says nothing where all is right. */
export const bashSelfTest: SelfTest = {
  name: 'bash',
  source: {
    path: 'b/bash/bash_5.2.15.orig.tar.gz',
    sha256: '7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51',
  },
  parts: ['tests/*', 'support/*', 'bashansi.h'],
  helpers: ['support/recho.c', 'support/zecho.c', 'support/xcase.c'],
  packages: withShells(),
  tests: (folder) =>
    readdirSync(join(folder, 'tests'))
      .filter((name) => name.startsWith('run-') && !/^run-(all|minimal|gprof)$/.test(name))
      .map((name) => name.slice('run-'.length))
      .toSorted(),
  script: (test) =>
    `cd /work/bash/tests; export THIS_SH=/bin/bash BASH_TSTOUT=/tmp/out BUILD_DIR=/work/bash; export PATH=.:/work/bash/bin:$PATH
sh ./run-${test} 2>&1 < /dev/null; echo "exit $?"`,
  shell: '/bin/bash',
  comparable: (output) =>
    output
      .replaceAll(/terminal process group \(\d+\)/g, 'terminal process group (PID)')
      .replaceAll(/globstar-\d+/g, 'globstar-PID'),
  leftOut: {
    'ifs-posix':
      'makes 6,856 tests of processes each: qemu had not ended after a minute, and not after two',
    read: 'reads from /dev/tty, and where there is none has no end under qemu either',
  },
  sample: ['braces', 'comsub-eof'],
  passes: /^(warning: .*\n)*exit 0\n$/,
};
