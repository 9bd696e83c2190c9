import type { Tool } from '../tool-list.ts';

/**
 * The script that the machine runs: each tool some times, with a line before and after each run, and
 * one with what it wrote. Of a tool it reads `/work/INPUT`.
 */
export function firstProcess(tools: readonly Tool[], rounds: number): string {
  const runs = tools.map(({ name, argv, input }) => {
    const words = argv.map(quoted).join(' ');
    // Through a pipe, as elsewhere: of a file gzip writes down the time.
    const from = input === undefined ? '' : `/bin/busybox cat /work/${input} | `;
    return `run() { ${from}${words} > /tmp/out; }\nmeasure ${quoted(name)}\n`;
  });
  return `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
export PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/tmp
measure() {
  for round in $(/bin/busybox seq ${rounds}); do
    echo "> start $1"
    run
    echo "> end $? $1"
    set -- "$1" $(/bin/busybox sha256sum /tmp/out)
    echo "> wrote $2 $1"
  done
}
${runs.join('')}echo "> done"
/bin/busybox poweroff -f
`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
