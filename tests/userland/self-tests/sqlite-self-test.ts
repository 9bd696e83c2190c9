import { type SelfTest, withShells } from './self-test.ts';

/**
 * Goes before the authors' `tester.tcl`, which expects an interpreter that was built for tests: what only
 * that one has does nothing, and Debian's module for Tcl is the rest.
 */
const interpreter = `
package require sqlite3
rename unknown unknown_of_tcl
proc unknown {name args} {
  if {$name eq "sqlite3_status"} { return {0 0 0} }
  if {[regexp {^(sqlite3_|install_|autoinstall_|database_|extra_schema|vfs_)} $name]} { return 0 }
  uplevel 1 [list unknown_of_tcl $name {*}$args]
}
foreach each {vtab trigger view tempdb attach utf16 autovacuum pragma schema_pragmas compound subquery
  explain integrityck memorydb reindex wal long_double trace mutex_noop} { set sqlite_options($each) 1 }
trace add variable sqlite_options read {apply {{options name how} {
  if {![info exists ::sqlite_options($name)]} { set ::sqlite_options($name) 0 }
}}}
set sqlite_open_file_count 0
set argv0 [lindex $argv 0]
set argv {}
source $argv0
`;

/** Its tests of the command-line program, the files as they are. */
export const sqliteSelfTest: SelfTest = {
  name: 'sqlite',
  source: {
    path: 's/sqlite3/sqlite3_3.40.1.orig.tar.xz',
    sha256: 'aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655',
  },
  parts: ['test/*.tcl', 'test/shell*.test'],
  packages: withShells(
    'tcl8.6',
    'libtcl8.6',
    'libsqlite3-tcl',
    'sqlite3',
    'libsqlite3-0',
    'libreadline8',
    'zlib1g',
    'mawk',
    'tzdata',
  ),
  tests: () => [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `shell${number}`),
  script: (
    test,
  ) => `mkdir /tmp/t; cd /tmp/t; ln -s /usr/bin/sqlite3 sqlite3; ln -s /usr/bin/mawk awk; PATH=/tmp/t:$PATH
cat > ../interpreter.tcl <<'END'
${interpreter}
END
tclsh8.6 ../interpreter.tcl /work/sqlite/test/${test}.test 2>&1; echo "exit $?"`,
  shell: '/bin/bash',
  sample: [],
  passes: /^0 errors out of \d+ tests/m,
};
