import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type SelfTest, withShells } from './self-test.ts';

/** Each program for which there is what it has to print. */
export const gawkSelfTest: SelfTest = {
  name: 'gawk',
  source: {
    path: 'g/gawk/gawk_5.2.1.orig.tar.xz',
    sha256: '2337a0283b180ec1b9c727973a34781c6478b3ae9bcbdcca0a4dc49861d75a65',
  },
  parts: ['test/*'],
  packages: withShells('gawk', 'libmpfr6', 'libsigsegv2', 'libreadline8'),
  tests: (folder) =>
    readdirSync(join(folder, 'test'))
      .filter((name) => name.endsWith('.awk'))
      .map((name) => name.slice(0, -'.awk'.length))
      .filter((name) => existsSync(join(folder, 'test', `${name}.ok`)))
      .toSorted(),
  script: (test) => `cd /work/gawk/test; i=${test}.in; [ -f $i ] || i=/dev/null
gawk -f ${test}.awk < $i > /tmp/out 2>&1 || echo "EXIT CODE: $?" >> /tmp/out
if cmp -s /tmp/out ${test}.ok; then echo PASS; else cat /tmp/out; fi`,
  shell: '/bin/dash',
  leftOut: {
    pid: 'prints numbers of processes',
    profile10: 'has no end, under qemu either: it is to be profiled, not run',
    profile11: 'the same',
    time: 'prints how late it is',
    timeout: 'prints what a clock says',
  },
  sample: ['regeq', 'substr'],
  passes: /^PASS$/m,
};
