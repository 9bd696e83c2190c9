import { type SelfTest, withShells } from './self-test.ts';

/** As `make check` runs them, but for the one that needs the manual's source made by Ruby. */
export const jqSelfTest: SelfTest = {
  name: 'jq',
  source: {
    path: 'j/jq/jq_1.6.orig.tar.gz',
    sha256: '3ba940b97571c866923f0409678033d33b5a98758dfc174fad8397ed908bc4d9',
  },
  parts: ['tests/*'],
  packages: withShells('jq', 'libjq1', 'libonig5'),
  tests: () => ['jqtest', 'base64test', 'onigtest', 'optionaltest', 'shtest', 'utf8test'],
  // They look for the program beside their folder.
  script: (test) =>
    `ln -s /usr/bin/jq /work/jq/jq; NO_VALGRIND=1 sh /work/jq/tests/${test} 2>&1; echo "exit $?"`,
  shell: '/bin/dash',
  // Names that mktemp makes.
  comparable: (output) => output.replaceAll(/\/tmp\/jq\w{6}\b/g, '/tmp/jqXXXXXX'),
  sample: ['utf8test'],
  passes: /^exit 0$/m,
};
