import { runHere } from './run-here.ts';
const t0 = performance.now();
const out = runHere(process.argv[2], [process.argv[3] ?? '8']);
console.log(
  out
    .trim()
    .split('\n')
    .map((l) => (Number(l.split(' ')[0]) / 1e6).toFixed(1))
    .join(' '),
  'total',
  (performance.now() - t0).toFixed(0),
);
if (globalThis.steps)
  console.log(
    [...globalThis.steps]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 14)
      .map(([k, v]) => k + ' ' + v)
      .join('; '),
  );
