import type { DebianSource } from './debian-source.ts';

/** Tests that a program's authors wrote, as a script that is run here and by qemu. */
export interface SelfTest {
  readonly name: string;
  readonly source: DebianSource;
  /** What of the source is needed; unpacked to `/work/NAME`. */
  readonly parts: readonly string[];
  /** Programs of the source that its tests use, compiled for arm64 to `/work/NAME/bin`. */
  readonly helpers?: readonly string[];
  readonly packages: readonly string[];
  /** For dash or bash, in an empty `/tmp`. Each test says its name, and what it came to. */
  readonly script: string;
  readonly shell: string;
  /** A part of it for each run of CI. */
  readonly sample?: string;
  /** What shows that they were run at all; what each came to has to be as under qemu. */
  readonly passes: RegExp;
  readonly samplePasses?: RegExp;
}

const base =
  'libc6 dash bash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libtinfo6 diffutils';

function packages(more: string): readonly string[] {
  return `${base} ${more}`.split(' ');
}

function jqTests(names: string): string {
  return `for t in ${names}; do echo "== $t"; jq -L /work/jq/tests/modules --run-tests /work/jq/tests/$t.test 2>&1; done`;
}

/**
 * Left out for now: what may need other languages' texts, a terminal, or the machine's own time. Which of
 * them do has not been looked at one by one.
 */
const gawkLeftOut =
  'clos1way6|devfd|fork|getlocaltime|inetdayt|localenl|pid|pipeio|poundbang|randtest|readdir|rwarray|strftime|time|timeout|timsort|tradanch|backbigs1|fflush|hsprint|ignrcas2|mpfr|filefuncs|fnmatch|fts|inplace|ordchr|revout|testext|zero2|errno|cmdlinefsbacknl|sigpipe1|clobber|procinfs|id|profile|dbugtypedre|symtab|argcasfile|longwrds|sort1|sortglos|jarebug|iolint|arrdbg|dumpvars|nonfatal|pty|status-close';
const bashLeftOut =
  'run-|jobs|read|vredir|history|histexp|complete|coproc|procsub|glob-test|globstar|intl|printf|trap|exec|test.tests|errors|type|builtins|dynvar|lastpipe|redir|nquote4|nquote5|iquote|alias|varenv|execscript|shopt|set-e|ifs-posix|invocation|attr|dirstack';

function bashTests(files: string): string {
  const leftOut = bashLeftOut.split('|').map((name) => `${name}*`);
  return `cp -r /work/bash/tests t; cd t; PATH=$PATH:/work/bash/bin; export THIS_SH=/bin/bash
for f in ${files}; do case "$f" in ${leftOut.join('|')}) continue;; esac
t=\${f%.tests}; /bin/bash ./$f > ../_$t 2>&1 < /dev/null
if cmp -s ../_$t $t.right; then echo "PASS $t"; else echo "other $t $(cksum < ../_$t)"; fi; done`;
}

function bcTests(files: string): string {
  return `cd /work/bc/Test; for f in ${files}; do echo "== $f"; { cat $f; echo quit; } | bc -l 2>&1 | cksum; done`;
}

export const selfTests: readonly SelfTest[] = [
  {
    name: 'jq',
    source: {
      path: 'j/jq/jq_1.6.orig.tar.gz',
      sha256: '3ba940b97571c866923f0409678033d33b5a98758dfc174fad8397ed908bc4d9',
    },
    parts: ['tests/*'],
    packages: packages('jq libjq1 libonig5'),
    script: jqTests('jq base64 onig optional'),
    shell: '/bin/dash',
    passes: /^4\d\d of 4\d\d tests passed/m,
  },
  {
    name: 'gawk',
    source: {
      path: 'g/gawk/gawk_5.2.1.orig.tar.xz',
      sha256: '2337a0283b180ec1b9c727973a34781c6478b3ae9bcbdcca0a4dc49861d75a65',
    },
    parts: ['test/*'],
    packages: packages('gawk libmpfr6 libsigsegv2 libreadline8 sed grep'),
    script: `cp -r /work/gawk/test t; cd t; for f in *.awk; do t=\${f%.awk}; case "$t" in ${gawkLeftOut}) continue;; esac
[ -f $t.ok ] || continue; i=$t.in; [ -f $i ] || i=/dev/null
gawk -f $f < $i > _$t 2>&1 || echo "EXIT CODE: $?" >> _$t
if cmp -s _$t $t.ok; then echo "PASS $t"; else echo "other $t $(cksum < _$t)"; fi; done`,
    shell: '/bin/dash',
    passes: /^(PASS|other) \w/m,
  },
  {
    name: 'bash',
    source: {
      path: 'b/bash/bash_5.2.15.orig.tar.gz',
      sha256: '7a315bc0e9d90713159e4390ec1096a41e4f33cd8cc3d1a749a8e5ad56600f51',
    },
    parts: ['tests/*', 'support/*', 'bashansi.h'],
    helpers: ['support/recho.c', 'support/zecho.c'],
    packages: packages('sed grep'),
    script: bashTests('*.tests'),
    shell: '/bin/bash',
    sample: bashTests('braces.tests'),
    passes: /^(PASS|other) \w/m,
    samplePasses: /^(PASS|other) braces/m,
  },
  {
    name: 'bc',
    source: {
      path: 'b/bc/bc_1.07.1.orig.tar.gz',
      sha256: '62adfca89b0a1c0164c2cdca59ca210c1d44c3ffc46daf9931cf4942664cb02a',
    },
    parts: ['Test/*'],
    packages: packages('bc libreadline8'),
    script: bcTests('*.b'),
    shell: '/bin/dash',
    sample: bcTests('array.b sqrt1.b'),
    passes: /^== testfn\.b/m,
    samplePasses: /^== sqrt1\.b/m,
  },
];
