import { DatabaseSync } from 'node:sqlite';
import { NumberSpace } from '@tapline/segments';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';

const order = 24;
const all = 2 ** order;
const first = 4096;
const some = 1_000_000;
/** What a scan for the lowest free number does to a set: quadratic, so that few are enough to see it. */
const few = 20_000;

/**
 * Allocation of VNIs beside what people write first, a set that is scanned, and beside a row per VNI
 * in a database, as Neutron has it.
 */
export function allocateRows(): readonly BenchmarkRow[] {
  const before = residentBytes();
  const space = new NumberSpace(order);
  space.takeAt(0, Math.log2(first));
  const taking = seconds(() => {
    for (let count = first; count < all; count += 1) space.take(0);
  });
  const releasing = seconds(() => {
    for (let vni = first; vni < all; vni += 1) space.release(vni, 0);
  });
  const memory = residentBytes() - before;
  const holed = holedSpace();
  const scattered = seconds(() => {
    for (let count = 0; count < some; count += 1) holed.take(0);
  });
  return [
    benchmarkRow({
      metric: 'VNIs allocated, lowest free first',
      unit: '1/s',
      better: 'higher',
      ours: Math.round((all - first) / taking),
      peers: { 'set, scanned': scannedSet(), 'SQLite, a row a VNI': rowPerVni() },
      goal: 1_000_000,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'VNIs allocated into a million holes',
      unit: '1/s',
      better: 'higher',
      ours: Math.round(some / scattered),
      peers: {},
      goal: 1_000_000,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'VNIs released',
      unit: '1/s',
      better: 'higher',
      ours: Math.round((all - first) / releasing),
      peers: {},
      goal: 1_000_000,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'memory for all 16.7 million, allocated and released',
      unit: 'MiB',
      better: 'lower',
      ours: Math.round((memory / 2 ** 20) * 10) / 10,
      peers: {},
      goal: 64,
      goalOn: 'ours',
    }),
  ];
}

/** Everything is taken but every sixteenth. */
function holedSpace(): NumberSpace {
  const holed = new NumberSpace(order);
  for (let vni = 0; vni < all; vni += 1) if (vni % 16 !== 0) holed.takeAt(vni, 0);
  return holed;
}

function scannedSet(): number {
  const taken = new Set<number>();
  const time = seconds(() => {
    for (let count = 0; count < few; count += 1) {
      let vni = first;
      while (taken.has(vni)) vni += 1;
      taken.add(vni);
    }
  });
  return Math.round(few / time);
}

/** As Neutron's ml2_vxlan_allocations: every VNI has its row from the start. */
function rowPerVni(): number {
  using database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE vni (vni INTEGER PRIMARY KEY, allocated INTEGER NOT NULL) STRICT');
  database.exec(`
    WITH RECURSIVE number(vni) AS (SELECT ${first} UNION ALL SELECT vni + 1 FROM number LIMIT ${some})
    INSERT INTO vni SELECT vni, 0 FROM number`);
  database.exec('CREATE INDEX free ON vni (vni) WHERE allocated = 0');
  const find = database.prepare('SELECT vni FROM vni WHERE allocated = 0 ORDER BY vni LIMIT 1');
  const take = database.prepare('UPDATE vni SET allocated = 1 WHERE vni = ? AND allocated = 0');
  const count = some / 10;
  const time = seconds(() => {
    database.exec('BEGIN');
    for (let at = 0; at < count; at += 1) take.run(Number(find.get()?.['vni']));
    database.exec('COMMIT');
  });
  return Math.round(count / time);
}

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}
