/** A program to be run here and by qemu; exit code, output and errors have to be the same. */
export interface Program {
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** For what differs for good reason, such as the order in a folder. */
  readonly comparable?: (stdout: string) => string;
}

function shell(script: string, program = '/bin/dash'): Program {
  return { argv: [program, '-c', script] };
}

const sorted = (text: string): string => text.split('\n').toSorted().join('\n');

const fibonacci =
  'BEGIN { a = 0; b = 1; for (i = 0; i < 30; i++) { print a; c = a + b; a = b; b = c } }';

/** Unpacked for each run: small ones. */
export const packages: readonly string[] =
  'libc6 dash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 grep sed'.split(' ');

/** Each program once, dynamic all of them: started by their own ld.so. */
export const programs: readonly Program[] = [
  { argv: ['/bin/echo', 'hello'] },
  { argv: ['/bin/sed', 's/o/0/g'], stdin: 'hello\nworld\n' },
  { argv: ['/bin/grep', '-n', 'wor'], stdin: 'hello\nworld\n' },
  { argv: ['/usr/bin/sort', '-r'], stdin: 'b\na\nc\n' },
  shell('echo a | tr a b; (exit 3); echo $?; x=$(echo inner); echo $x >&2'),
  shell(
    'cd /tmp; mkdir -p a/b; echo text > a/b/f; ln -s b a/link; cp a/link/f g; mv g h; cat h; chmod 640 h; ' +
      'stat -c "%n %a %s %h %F" h a/link; rm -r a; test -e a || echo gone',
  ),
  shell('trap "echo got it" USR1; kill -USR1 $$; sh -c "kill -TERM \\$\\$"; echo $?'),
  // Pipes are opened by the names of what is open already.
  shell(
    'echo a | cat /dev/stdin; seq 3 | { read x; cat /dev/fd/0; }; { echo b > /dev/stdout; echo c | tee /dev/stdout /dev/stderr; } 2>&1 | cat',
  ),
  shell('printf "#!/bin/sh\\necho script \\$0 \\$1\\n" > /tmp/s; chmod +x /tmp/s; /tmp/s one'),
];

export const longPackages: readonly string[] = (
  'bash gawk findutils tar gzip xz-utils zstd jq bc sqlite3 perl-base perl perl-modules-5.36 libperl5.36 ' +
  'python3.11-minimal libpython3.11-minimal libpython3.11-stdlib git openssl curl vim-tiny vim-common ' +
  'less diffutils bzip2 ripgrep file libmagic1 busybox-static ncurses-base libc-bin base-files ' +
  'libtinfo6 libgcc-s1 libmpfr6 libsigsegv2 libreadline8 zlib1g libbz2-1.0 liblzma5 libcap2 libcrypt1 ' +
  'libexpat1 libjq1 libonig5 libstdc++6 libcurl4 libnghttp2-14 libidn2-0 librtmp1 libssh2-1 libpsl5 ' +
  'libssl3 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libcom-err2 libkrb5support0 libkeyutils1 ' +
  'libldap-2.5-0 libsasl2-2 libzstd1 libbrotli1 libunistring2 libhogweed6 libnettle8 libgnutls30 ' +
  'libp11-kit0 libtasn1-6 libffi8 libsqlite3-0 liblz4-1 libxxhash0 libdb5.3 libgdbm6 libncursesw6 ' +
  'libcurl3-gnutls libsodium23 fzf nodejs libnode108 libuv1 libc-ares2 libicu72 node-acorn ' +
  'node-cjs-module-lexer node-undici node-busboy node-xtend'
).split(' ');

/**
 * Runs a program on a terminal of 24 by 80, in Python in the guest: writes each text when what it waits
 * for was seen, and prints all that was shown.
 */
function onTerminal(
  argv: readonly string[],
  steps: readonly (readonly [waitFor: string, type: string])[],
): Program {
  const script = `
import os,sys,fcntl,termios,struct,subprocess
m,s=os.openpty()
fcntl.ioctl(s,termios.TIOCSWINSZ,struct.pack("HHHH",24,80,0,0))
def own():
  os.setsid(); fcntl.ioctl(0,termios.TIOCSCTTY,0)
p=subprocess.Popen(sys.argv[1:],stdin=s,stdout=s,stderr=s,preexec_fn=own,env={"TERM":"vt100","PATH":"/usr/bin","HOME":"/tmp"})
os.close(s)
seen=b""; at=0
def read():
  global seen
  try: b=os.read(m,4096)
  except OSError: b=b""
  seen+=b
  return b
for wait,text in ${JSON.stringify(steps)}:
  while seen.find(wait.encode(),at)<0:
    if not read(): break
  at=len(seen); os.write(m,text.encode())
while read(): pass
print(p.wait(),repr(seen))`;
  return { argv: ['/usr/bin/python3.11', '-c', script, ...argv] };
}

/** By command: everything else. */
export const longPrograms: readonly Program[] = [
  shell('for i in 1 2 3; do echo $i; done | sort -r | tail -2; wait; echo $?', '/bin/bash'),
  shell(
    'a=(1 2 3); echo ${a[@]} ${#a[@]}; echo <(true) | grep -c fd; coproc cat; echo hi >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x',
    '/bin/bash',
  ),
  shell(
    'cat <(echo a) <(echo b); while read x; do echo $x; done < <(seq 3); . <(echo "echo read"); echo d > >(cat); wait $!; diff <(seq 3) <(seq 2)',
    '/bin/bash',
  ),
  shell('set -m; sleep 3 & jobs -l | wc -l; fg >/dev/null; echo $?', '/bin/bash'),
  shell('sleep 5 & kill %1; wait %1; echo $?', '/bin/bash'),
  shell('ulimit -s; echo $BASH_VERSION; type -t cd; printf "%(%Y)T\\n" 0', '/bin/bash'),
  { argv: ['/usr/bin/gawk', fibonacci] },
  {
    argv: [
      '/usr/bin/gawk',
      'BEGIN { while (("echo a b" | getline x) > 0) print x; print sin(1), exp(2), 2^0.5 }',
    ],
  },
  { argv: ['/usr/bin/find', '/etc', '-name', 'd*', '-type', 'f'], comparable: sorted },
  shell(
    'cd /tmp; mkdir t; seq 1000 > t/n; tar cf t.tar t; tar tvf t.tar | wc -l; gzip -k t.tar; gzip -l t.tar.gz | wc -l; xz -k t.tar; xz -t t.tar.xz; zstd -q t.tar; zstd -tq t.tar.zst; bzip2 -k t.tar; rm -r t; tar xzf t.tar.gz; md5sum t/n; tar xJf t.tar.xz; md5sum t/n',
    '/bin/bash',
  ),
  { argv: ['/usr/bin/jq', '-c', '.a|map(.+1)'], stdin: '{"a":[1,2,3.5]}' },
  { argv: ['/usr/bin/bc', '-l'], stdin: 'scale=60\n4*a(1)\n2^200\n' },
  {
    argv: [
      '/usr/bin/sqlite3',
      '/tmp/db',
      'create table t(a,b); insert into t values(1,"x"),(2,"y"); select * from t order by a desc; pragma integrity_check;',
    ],
  },
  {
    argv: [
      '/usr/bin/sqlite3',
      ':memory:',
      'with recursive c(x) as (select 1 union all select x+1 from c where x<2000) select sum(x), avg(x) from c;',
    ],
  },
  {
    argv: [
      '/usr/bin/perl',
      '-e',
      'my %h=map{$_=>$_**2}1..20; print join(",",map{"$_=$h{$_}"}sort{$a<=>$b}keys %h),"\\n"; print `echo sub`; printf("%.10f\\n",sqrt(2))',
    ],
  },
  {
    argv: [
      '/usr/bin/perl',
      '-MPOSIX',
      '-e',
      'my $p=fork; if(!$p){exit 7} waitpid($p,0); print $?>>8,"\\n"; local $SIG{ALRM}=sub{print "alarm\\n"}; alarm 1; POSIX::pause; print "end\\n"',
    ],
  },
  { argv: ['/usr/bin/python3.11', '-c', 'print(sum(i*i for i in range(10000)), 2**100, 1/3)'] },
  {
    argv: [
      '/usr/bin/python3.11',
      '-c',
      'import threading,subprocess,json,hashlib,os\nr=[]\nts=[threading.Thread(target=lambda i=i:r.append(i*i)) for i in range(8)]\n[t.start() for t in ts];[t.join() for t in ts]\nprint(sorted(r))\nprint(subprocess.run(["echo","child"],capture_output=True).stdout)\nprint(json.dumps({"a":[1,2]}),hashlib.sha256(b"x").hexdigest())\nprint(os.listdir("/proc/self/fd")!=[])',
    ],
  },
  {
    argv: [
      '/usr/bin/python3.11',
      '-c',
      'import asyncio\nasync def f(n):\n  await asyncio.sleep(n/100); return n\nasync def m():\n  print(await asyncio.gather(*[f(i) for i in range(5)]))\nasyncio.run(m())',
    ],
  },
  {
    argv: [
      '/usr/bin/python3.11',
      '-c',
      'import socket,threading\ns=socket.socketpair();s[0].send(b"ping");print(s[1].recv(9))\nl=socket.create_server(("127.0.0.1",0))\ndef srv():\n  c,_=l.accept();c.sendall(c.recv(99).upper());c.close()\nt=threading.Thread(target=srv);t.start()\nc=socket.create_connection(l.getsockname());c.sendall(b"hello");print(c.recv(99));t.join()',
    ],
  },
  shell(
    'cd /tmp; export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z"; git init -q -b main r; cd r; git config user.email a@b; git config user.name n; echo one > f; git add f; git commit -qm first; echo two >> f; git diff; git commit -qam second; git log --oneline; git gc -q; git fsck; git status --short; git log -p | md5sum',
  ),
  shell(
    'echo secret | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -S 0102030405060708 | openssl base64; echo abc | openssl dgst -sha512; openssl prime 97',
  ),
  { argv: ['/usr/bin/curl', '--version'] },
  { argv: ['/usr/bin/curl', '-s', 'file:///etc/debian_version'] },
  { argv: ['/usr/bin/vim.tiny', '--version'] },
  { argv: ['/usr/bin/less', '--version'] },
  onTerminal(
    ['/usr/bin/vim.tiny', '-u', 'NONE', '-i', 'NONE', '-N', '/tmp/note'],
    [
      ['[New]', 'ihello from vim'],
      ['vim', '\u001b'],
      ['\u001b', ':wq\r'],
    ],
  ),
  onTerminal(
    ['/usr/bin/less', '/etc/debian_version', '/usr/share/common-licenses/Apache-2.0'],
    [
      ['(END)', ':n\r'],
      ['Apache', 'G'],
      ['(END)', '/License\r'],
      ['License', 'q'],
    ],
  ),
  { argv: ['/usr/bin/fzf', '--version'] },
  { argv: ['/usr/bin/fzf', '-f', 'an'], stdin: 'apple\nbanana\nmango\n' },
  {
    argv: ['/usr/bin/node', '--jitless', '-e', 'console.log([1, 2, 3].map((n) => n ** 2), 6 * 7)'],
  },
  { argv: ['/usr/bin/rg', '--version'] },
  {
    argv: ['/usr/bin/rg', '-j1', '-c', '[a-z]+', '/etc/debian_version', '/etc/issue'],
    comparable: sorted,
  },
  { argv: ['/usr/bin/file', '/bin/dash', '/etc/issue'] },
  { argv: ['/usr/bin/diff', '/etc/issue', '/etc/issue.net'] },
  {
    argv: [
      '/bin/busybox',
      'sh',
      '-c',
      'busybox seq 5 | busybox awk "{s+=\\$1} END {print s}"; busybox vi --help 2>&1 | busybox head -2',
    ],
  },
];
