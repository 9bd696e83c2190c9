/** A program of Debian with its work, which it reads from a file of `/work` or has in its arguments. */
export interface Tool {
  readonly name: string;
  readonly argv: readonly string[];
  /** What is its standard input, if anything. */
  readonly input?: 'text' | 'bytes' | 'json';
}

const python =
  'r = 0\nfor i in range(400000): r = (r * 31 + i) % 1000003\nd = {str(i): i * 0.5 for i in range(60000)}\nprint(r, sum(d.values()))';
const sql =
  'create table t(a integer primary key, b); insert into t with recursive c(x) as (select 1 union all select x + 1 from c where x < 30000) select x, x * 7919 % 10007 from c; create index i on t(b); select sum(a), avg(b) from t where b between 100 and 5000;';

/** Each takes a native machine some tens of milliseconds. */
export const tools: readonly Tool[] = [
  { name: 'sha256sum', argv: ['/usr/bin/sha256sum'], input: 'bytes' },
  { name: 'openssl sha256', argv: ['/usr/bin/openssl', 'dgst', '-sha256'], input: 'bytes' },
  { name: 'gzip', argv: ['/bin/gzip', '-c'], input: 'text' },
  { name: 'xz', argv: ['/usr/bin/xz', '-1', '-c'], input: 'text' },
  { name: 'jq', argv: ['/usr/bin/jq', 'map(.v) | add'], input: 'json' },
  { name: 'bc', argv: ['/usr/bin/bc', '-l', '/work/pi'] },
  { name: 'sqlite3', argv: ['/usr/bin/sqlite3', ':memory:', sql] },
  { name: 'python3', argv: ['/usr/bin/python3.11', '-c', python] },
];

export const toolPackages: readonly string[] = (
  'libc6 dash bash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 gzip xz-utils liblzma5 ' +
  'jq libjq1 libonig5 bc libreadline8 libtinfo6 sqlite3 libsqlite3-0 python3.11-minimal ' +
  'libpython3.11-minimal libpython3.11-stdlib libexpat1 zlib1g openssl libssl3'
).split(' ');

const lines = 60_000;

/** The same each time: text that can be packed, bytes that cannot, a document. */
export function toolInput(kind: 'text' | 'bytes' | 'json'): Uint8Array<ArrayBuffer> {
  switch (kind) {
    case 'text': {
      const text = Array.from({ length: lines }, (_, at) => `line ${(at * 7919) % 10_007} of it\n`);
      return new TextEncoder().encode(text.join(''));
    }
    case 'bytes':
      return Uint8Array.from({ length: 8_000_000 }, (_, at) => (at * 2_654_435_761) >>> 13);
    case 'json': {
      const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `n${id}`, v: id / 7 }));
      return new TextEncoder().encode(JSON.stringify(rows));
    }
  }
}

/** For bc: π to some hundred places. */
export const bcProgram = 'scale=400\n4*a(1)\nquit\n';
