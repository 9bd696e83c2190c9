import type { Program } from './program-list.ts';

function bash(script: string): Program {
  return { argv: ['/bin/bash', '-c', `cd /tmp; ${script}`] };
}

function python(script: string): Program {
  return { argv: ['/usr/bin/python3.11', '-c', script] };
}

/** What these need beside the packages of the long list. */
export const broadPackages: readonly string[] = ['age', 'patch', 'm4'];

/** By command, too: much of what each program can do, in few runs. */
export const broadPrograms: readonly Program[] = [
  // Coreutils, command by command.
  bash(
    'seq 20 > n; head -n 3 n; tail -n 2 n; tac n | head -1; nl n | tail -1; wc n; sort -R --random-source=/bin/dash n | wc -l; shuf --random-source=/bin/dash -n 5 n; split -n 4 n p; cat p?? | cksum; csplit -s n 5 10; cat xx01; paste -sd, n; fold -w 10 n | head -1; fmt -w 20 n; pr -t -3 n | head -2; od -c n | head -2; expand n | sum; base32 n | head -1; base64 n | md5sum; sha1sum n; sha224sum n; sha384sum n; sha512sum n; b2sum n; comm -12 <(sort n) <(seq 5 | sort); join <(seq 3) <(seq 2 4); uniq -c <(printf "a\\na\\nb\\n"); tr a-z A-Z < <(echo abc); cut -c2-3 <(echo abcd); tsort <(echo a b b c); ptx <(echo a b) | head -1; unexpand -a <(echo "        x")',
  ),
  bash(
    'numfmt --to=iec 123456789; factor 1234567890123456789; expr 3 \\* 7; seq -f %03g 3; printf "%x %o %e %q\\n" 255 8 1.5 "a b"; basename /a/b.c .c; dirname /a/b; realpath -m /a/../b; readlink -f /bin/../bin; mktemp -u XXXX | wc -c; date -u -d @0 +%F; date -u -d "2024-02-30" 2>&1; env -i A=1 env; nice -n 5 nice; timeout 0.2 sleep 5; echo $?; stdbuf -oL echo x; nproc --all | wc -l; id -u; logname 2>&1; tty; test -t 0; echo $?; pathchk -p a:b; stat -f -c %T /proc; du -s --apparent-size /etc/issue; dd if=/bin/dash bs=1k count=3 2>/dev/null | md5sum; truncate -s 1M t; stat -c %s t; cp --sparse=always t u; cmp t u; install -m 700 n i 2>&1; mkfifo f; ls -F; chmod a+s t; ls -l t | cut -c1-10; ln -s t l; ls -L l; touch -d @5 t; stat -c %Y t; rm -rfv t u | sort; dircolors -b | wc -l; tee o < <(echo hi); sync; yes | head -3; users; who; uname -sm; arch; hostid | wc -c; sleep 0.01; true; false; echo $?; [ a = a ]; echo $?',
  ),
  // Text: sed, grep, gawk.
  bash(
    `seq 30 | sed -n '/5$/{s/.*/<&>/;p;n;h;G;p}'; seq 5 | sed '1!G;h;$!d'; sed -E 's/(a+)(b*)/\\2\\1/g;y/xyz/abc/' <<< 'aabbx aby'; echo 'a,b;c' | sed 's/[,;]/\\n/g' | sed ':a;N;$!ba;s/\\n/+/g'; grep -oP '(?<=k=)\\d+' <<< 'k=12 k=3'; grep -Eoc '^[0-9]+$' <(seq 50); grep -rn root /etc/debian_version; echo $?; grep -A1 -B1 -n 5 <(seq 9); grep -iwF -e Foo <<< 'a foo b'`,
  ),
  {
    argv: [
      '/usr/bin/gawk',
      'BEGIN { n = split("the quick brown fox jumps over the lazy dog", w, " "); asort(w); for (i = 1; i <= n; i++) printf "%s%s", w[i], i < n ? "," : "\\n"; print gensub(/(o)(.)/, "\\\\2\\\\1", "g", "foo bot"), toupper(substr("hello", 2, 3)), strtonum("0x1F"), and(12, 10), lshift(1, 20); for (i = 0; i < 3000; i++) { a[i % 97] += i * i; s += i / 3 } print length(a), a[13], s; printf "%.3f %e %g %c %5d|%-5s|\\n", 3.14159, 12345.678, 1e-5, 65, 42, "x"; print strftime("%Y-%m-%d", 86400 * 365, 1); "echo sub" | getline x; print x; print length("\\303\\251"), index("abc", "c"), match("foobar", /o+/), RSTART, RLENGTH; print -7 % 3, 2 ** 10, int(-3.7), 1e300 * 1e300, log(-1) }',
    ],
  },
  // Archives, one after the other, of something that can be pressed and of something that cannot.
  bash(
    'seq 40000 > a; head -c 300000 /bin/bash > b; for c in "gzip -n9" "gzip -n1" "bzip2 -9" "xz -6" "xz -0 --format=lzma" "zstd -q -19" "zstd -q -1"; do for f in a b; do $c -c $f > p; cksum < p; done; done; gzip -dc <(gzip a -c) | cmp - a; xz -dc <(xz -c b) | cmp - b; zstd -qdc <(zstd -qc b) | cmp - b; bzip2 -dc <(bzip2 -c a) | cmp - a; tar -c --sort=name --owner=0 --group=0 --mtime=@0 --mode=644 --format=ustar a b | tee t.tar | md5sum; tar -tf t.tar; mkdir x; tar -xf t.tar -C x --transform s/^/y/; ls x; tar --diff -f t.tar; echo $?',
  ),
  {
    argv: ['/usr/bin/bc', '-lq'],
    stdin: 'scale=200\n4*a(1)\nscale=0\n3^1000%1000007\nobase=16\n2^128-1\nibase=2\n1011\nquit\n',
  },
  bash(
    `jq -n '[range(2000)] | map(select(. % 7 == 0)) | {n: length, s: add, m: (map(. * .) | max), r: (map(tostring) | join("-") | @base64 | length)}'; jq -c 'paths' <<< '{"a":[1,{"b":null}]}'; jq -r '.[] | [.a, .b] | @csv, @tsv, @sh' <<< '[{"a":"x\\"y","b":1.5}]'; jq -n '[limit(5; repeat(1))], ("a,b" | split(",")), ([3,1,2] | sort), (now | type), ("2015-03-05T23:51:47Z" | fromdate), ({} | .a.b.c = 1), ([1,[2]] | flatten), ("test" | test("T"; "i")), (1 / 3), 1e1000, -0' 2>&1`,
  ),
  bash(
    `sqlite3 d.db "create table t(id integer primary key, k text, v real); with recursive c(x) as (select 1 union all select x+1 from c where x<3000) insert into t(k,v) select printf('%05d', (x*7919)%3001), x/7.0 from c; create index i on t(k); select count(*), round(sum(v),6), min(k), max(k) from t; select k, v, row_number() over (order by k desc) r, round(avg(v) over (order by k rows 2 preceding),6) from t limit 5; explain query plan select * from t where k='00100'; begin; delete from t where id%3=0; rollback; select count(*) from t; update t set v=null where id<10; select total(v), count(v) from t; select json_extract('{\\"a\\":[1,2]}','$.a[1]'), date('2024-02-29','+1 year'), printf('%.3f',1e0/3), 'A' like 'a', x'00ff' ; vacuum; pragma integrity_check; analyze; select tbl from sqlite_stat1;"; sqlite3 d.db .dump | md5sum; sqlite3 -csv -header d.db "select * from t where id in (4,50)"; sqlite3 -json d.db "select id,v from t limit 2"; printf 'a,b\\n1,2\\n' > c.csv; sqlite3 d.db ".import --csv c.csv c" "select * from c"; sqlite3 :memory: "create virtual table f using fts5(x); insert into f values('the quick fox'),('lazy dogs'); select * from f where f match 'quick OR dogs' order by rank; select highlight(f,0,'[',']') from f where f match 'laz*'"`,
  ),
  {
    argv: [
      '/usr/bin/perl',
      '-e',
      'use strict; use warnings; use List::Util qw(sum shuffle reduce); use Data::Dumper; use Time::Local; use MIME::Base64; use Digest::SHA qw(sha256_hex); use Encode; $Data::Dumper::Sortkeys=1; $Data::Dumper::Indent=1; print Dumper({a=>[1,{b=>undef}],c=>\\"x"}); my $t="The year 1999 and 2024"; my @y=$t=~/(\\d{4})/g; print "@y\\n"; (my $u=$t)=~s/(\\w+)/\\u\\L$1/g; print "$u\\n"; print join(",",map{sprintf "%03b",$_}0..7),"\\n"; print sum(map{$_*$_}1..1000)," ",reduce{$a*$b}1..15; print "\\n",unpack("H*",pack("nNvVw",1,2,3,4,300)),"\\n"; print sha256_hex("x"),encode_base64("hello"),timegm(0,0,0,1,0,2000),"\\n"; my %h; $h{$_%17}.=$_ for 1..500; print join("|",map{"$_:".length $h{$_}}sort{$a<=>$b}keys %h),"\\n"; local $_="aXbXc"; print join("-",split /X/),"\\n"; open my $f,">","/tmp/p"; print $f "l$_\\n" for 1..100; close $f; open $f,"<","/tmp/p"; my @l=<$f>; print scalar(@l),$l[-1]; my $s=eval{die {code=>7}}; print $@->{code},"\\n"; print 0.1+0.2-0.3," ",1e21," ",10/3," ",-7%3," ",2**0.5,"\\n"; format STDOUT=\n@<<<< @>>>>> @##.##\n"ab","cd",3.14159\n.\nwrite; print length(decode("UTF-8","\\xc3\\xa9")),"\\n"; my $r=sub{my($n)=@_;$n<2?$n:__SUB__->($n-1)+__SUB__->($n-2)}; use feature "current_sub"; print "ok\\n"',
    ],
  },
  python(
    'import re,json,decimal,fractions,collections,itertools,functools,datetime,struct,zlib,bz2,lzma,hashlib,hmac,textwrap,string,heapq,bisect,random,math,cmath,statistics,io,csv,configparser,base64,binascii,pickle,copy,enum,dataclasses,typing,pathlib,tempfile,shutil,os,sys,contextlib,secrets,uuid,unicodedata,difflib,operator\nrandom.seed(7)\nprint([random.random() for _ in range(3)],random.sample(range(1000),5))\nd=decimal.Decimal(2).sqrt(decimal.Context(prec=60));print(d,fractions.Fraction(1,3)+fractions.Fraction(1,6))\nprint(re.sub(r"(\\w+) (\\w+)",r"\\2 \\1","hello world"),re.findall(r"(?i)[a-c]+|\\d{2,}","abC 123 x"))\nx=bytes(random.randrange(256) for _ in range(5000));print(zlib.crc32(x),len(zlib.compress(x)),hashlib.md5(bz2.decompress(bz2.compress(x))).hexdigest(),lzma.decompress(lzma.compress(x))==x)\nfor h in ("sha1","sha256","sha3_256","blake2b","sha512"):print(h,hashlib.new(h,x).hexdigest()[:16])\nprint(struct.pack("<hIdq",-2,7,1.5,-9).hex(),json.dumps({"a":[1.5,None,True],"b":"\\u00e9"},sort_keys=True))\nprint(statistics.stdev([1,2,4,8]),math.gamma(5.5),math.fsum([0.1]*10),cmath.exp(1j),math.isqrt(10**40),pow(3,10**5,10**9+7))\nprint(datetime.datetime(2024,2,29)+datetime.timedelta(days=366),datetime.date(2026,11,26).isocalendar())\nprint(collections.Counter("mississippi").most_common(2),list(itertools.permutations("abc"))[3],functools.reduce(operator.mul,range(1,20)))\n@dataclasses.dataclass(order=True)\nclass P:\n  x:int;y:float=0.5\nprint(sorted([P(2),P(1,3)]),pickle.loads(pickle.dumps(P(5))),f"{1e10:,.2f} {255:#x} {3.14159:8.3f}|{\'a\':^5}|")\nwith tempfile.TemporaryDirectory() as t:\n  p=pathlib.Path(t)/"f";p.write_text("a,b\\n1,2\\n");print(list(csv.DictReader(io.StringIO(p.read_text()))),p.stat().st_size)\nprint(unicodedata.normalize("NFD","\\u00e9").encode(),"\\u00df".upper(),textwrap.fill("word "*10,20).count("\\n"),list(difflib.unified_diff(["a"],["b"],lineterm=""))[3:])\ntry:1/0\nexcept ZeroDivisionError as e:print(repr(e))\nprint(sum(1 for i in range(20000) if all(i%j for j in range(2,int(i**.5)+1)) and i>1))\ndef g():\n  r=yield 1\n  while True:r=yield r*2\ng=g();next(g);print(g.send(21),sys.getrecursionlimit(),[hash(i/7) for i in range(3)])',
  ),
  python(
    'import multiprocessing as m,signal,os,time,select,mmap,subprocess,threading,queue,concurrent.futures as c,fcntl,resource,pty,ctypes\nctx=m.get_context("fork")\nq=ctx.Queue();p=ctx.Process(target=lambda:q.put(os.getppid()>0));p.start();print(q.get());p.join();print(p.exitcode)\nwith ctx.Pool(3) as pool:print(pool.map(abs,range(-5,0)))\nwith c.ThreadPoolExecutor(4) as e:print(list(e.map(lambda x:x*x,range(6))))\nsignal.signal(signal.SIGALRM,lambda *_:print("alarm"));signal.setitimer(signal.ITIMER_REAL,.05);time.sleep(.2)\nr,w=os.pipe();os.write(w,b"x");print(select.select([r],[],[],1)[0]==[r])\nmm=mmap.mmap(-1,8192);mm[0:3]=b"abc"\nif os.fork()==0:\n  mm[4]=100;os._exit(3)\nprint(os.waitstatus_to_exitcode(os.wait()[1]),mm[:5])\nprint(subprocess.run("exit 5",shell=True).returncode,subprocess.check_output(["sort"],input=b"b\\na\\n"))\ntry:subprocess.run(["sleep","5"],timeout=.2)\nexcept subprocess.TimeoutExpired:print("timeout")\nl=threading.Lock();n=[0]\ndef f():\n  for _ in range(500):\n    with l:n[0]+=1\nt=[threading.Thread(target=f) for _ in range(5)];[x.start() for x in t];[x.join() for x in t];print(n)\nlibc=ctypes.CDLL(None);print(libc.abs(-4),libc.toupper(97));cmp=ctypes.CFUNCTYPE(ctypes.c_int,ctypes.POINTER(ctypes.c_int),ctypes.POINTER(ctypes.c_int))\na=(ctypes.c_int*5)(5,1,4,2,3);libc.qsort(a,5,4,cmp(lambda x,y:x[0]-y[0]));print(list(a))\nev=threading.Event();threading.Timer(.05,ev.set).start();print(ev.wait(2))',
  ),
  bash(
    'export GIT_AUTHOR_DATE="2026-01-01T00:00:00Z" GIT_COMMITTER_DATE="2026-01-01T00:00:00Z"; git config --global user.email a@b; git config --global user.name n; git config --global init.defaultBranch main; git init -q r; cd r; for i in 1 2 3 4 5; do seq $((i*20)) > f$i; git add .; git commit -qm c$i; done; git branch b HEAD~2; git checkout -q b; echo x >> f1; git commit -qam side; git merge -q --no-edit main; git log --graph --oneline; git rebase -q main 2>&1; git stash list; echo y >> f2; git stash -q; git stash pop -q; git diff --stat; git checkout -q -- f2; git tag -a v1 -m tag; git describe; git show --stat HEAD~1; git blame -s f1 | tail -2; git grep -c 7; git cherry-pick --no-edit HEAD~1 2>&1 | head -1; git reset -q --hard v1; git rev-list --objects --all | wc -l; git archive HEAD | tar tf -; git format-patch -1 --stdout | git apply --check -R; echo $?; git clone -q . ../c; git -C ../c log -1 --format=%H; git -C ../c fetch -q; git bundle create -q ../b.bundle --all; git bundle verify -q ../b.bundle 2>&1; git worktree add -q ../w; git -C ../w status -sb; git repack -qad; git prune; git count-objects -v | grep -v size; git fsck --full; git reflog | wc -l; git bisect start -q HEAD HEAD~2 2>/dev/null | wc -l; git submodule status; git shortlog -sn HEAD; git ls-tree -r HEAD | md5sum',
  ),
  bash(
    'export RANDFILE=/tmp/r; seq 3000 > p; for c in aes-128-gcm aes-256-ctr chacha20 camellia-128-cbc des-ede3-cbc; do openssl enc -$c -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 0102030405060708090a0b0c0d0e0f10 -in p 2>/dev/null | md5sum; done; for d in md5 sha1 sha3-512 blake2s256 sm3 ripemd160; do openssl dgst -$d p 2>&1; done; openssl genpkey -algorithm ed25519 -out k 2>/dev/null; openssl pkeyutl -sign -inkey k -rawin -in p -out s; openssl pkey -in k -pubout -out q; openssl pkeyutl -verify -pubin -inkey q -rawin -in p -sigfile s; openssl ecparam -name prime256v1 -genkey -noout -out e; openssl dgst -sha256 -sign e -out s p; openssl ec -in e -pubout -out q 2>/dev/null; openssl dgst -sha256 -verify q -signature s p; openssl genrsa -out a 1024 2>/dev/null; openssl dgst -sha256 -sign a -out s p; openssl rsa -in a -pubout -out q 2>/dev/null; openssl dgst -sha256 -verify q -signature s p; openssl req -x509 -new -key e -subj /CN=x -days 1 -out c 2>/dev/null; openssl x509 -in c -noout -subject; openssl kdf -keylen 16 -kdfopt digest:SHA256 -kdfopt key:x -kdfopt salt:y -kdfopt info:z HKDF; openssl asn1parse -genstr UTF8:hi -noout -out o; xxd o 2>/dev/null || od -c o; openssl prime -generate -bits 64 -safe | wc -l; echo hi | openssl base64 | openssl base64 -d; openssl ciphers | tr : "\\n" | wc -l',
  ),
  // Two programs in Go: cryptography with vectors, and a search.
  bash(
    'age-keygen -o k 2>/dev/null; seq 5000 > p; age -r $(age-keygen -y k) -o c p; age -d -i k c | cmp - p; echo $?; age -a -r $(age-keygen -y k) p | head -1; age -d -i k p 2>&1 | head -1',
  ),
  {
    argv: [
      '/bin/bash',
      '-c',
      'seq 5000 | fzf -f 42 | head -5; seq 2000 | fzf -f "^1 9$" --no-sort | wc -l',
    ],
  },
  bash(
    `for i in 1 2 3; do mkdir -p d$i; seq $((i*1000)) | sed "s/^/line $i /" > d$i/f.txt; done; rg -j1 --sort path -c '7\\d+7$'; rg -j1 --sort path -n 'line (\\d) 1(\\d)\\2$' -P -r '$1-$2' | head -3; rg -j1 --sort path -l 2999; rg -j1 --files --sort path; rg -j1 -iUc 'LINE 1 5\\nline' d1/f.txt; rg -j1 --json 'line 1 1000$' d1 | wc -l; rg -j2 -c line | sort; rg -F '[' ; echo $?`,
  ),
  {
    argv: [
      '/usr/bin/node',
      '--jitless',
      '-e',
      `const fs = require('fs'), crypto = require('crypto'), zlib = require('zlib'), path = require('path'), { EventEmitter } = require('events');
fs.writeFileSync('/tmp/x', 'hello'); console.log(fs.readFileSync('/tmp/x', 'utf8'), fs.statSync('/tmp/x').size, path.join('/a', '..', 'b'));
console.log(crypto.createHash('sha256').update('x').digest('hex'), crypto.createHmac('md5', 'k').update('x').digest('base64'));
console.log(zlib.gunzipSync(zlib.gzipSync('z'.repeat(1000))).length, Buffer.from('é').toString('hex'), JSON.stringify({ a: [1, { b: null }] }));
console.log([..."mississippi"].reduce((m, c) => m.set(c, (m.get(c) ?? 0) + 1), new Map()), 2n ** 100n, 0.1 + 0.2, 'aXbX'.replace(/x/gi, (m) => m.toLowerCase()));
class A { #p = 3; get p() { return this.#p; } static s = 4; } console.log(new A().p, A.s, new Intl.NumberFormat('en').format(1234567.891), new Date(0).toISOString());
const e = new EventEmitter(); e.on('x', (v) => console.log('event', v)); e.emit('x', 5);
let n = 0; for (let i = 0; i < 20000; i++) n = (n * 31 + i) | 0; console.log(n);
setTimeout(() => console.log('timer'), 20); Promise.resolve().then(() => console.log('micro')); process.nextTick(() => console.log('tick'));
(async () => { for await (const x of (async function* () { yield 1; yield 2; })()) console.log('async', x); console.log(require('child_process').execSync('echo child').toString().trim()); })();`,
    ],
  },
  bash(
    'printf "changequote([,])define(x,[y\\$1])x(z) eval(2**10) len(abc) substr(hello,1,3)\\n" | m4; seq 5 > a; sed s/3/x/ a > b; diff -u --label a --label b a b > p; patch -s a p; cmp a b; diff -y -W 20 <(seq 3) <(seq 2 4); diff3 <(seq 3) <(seq 4) <(seq 2 4); sdiff -s <(seq 2) <(seq 3); find /etc -maxdepth 1 -type f -printf "%f %s %m\\n" | sort | head -5; find /usr/bin -name "g*p" | sort | xargs -n 2 echo; echo a b c | xargs -I{} -d" " echo "<{}>"; file -b /usr/bin/perl /etc/issue; cmp -l <(echo ab) <(echo ac); busybox vi -h 2>&1 | head -1; busybox dc -e "2 3 ^ p"; echo hello | busybox md5sum; busybox ash -c "echo \\$((0x1f))"; busybox printf "%05.1f\\n" 3.14; seq 5 | busybox tac; busybox expr 7 % 4; busybox unzip 2>&1 | head -1; busybox --list | wc -l',
  ),
];
