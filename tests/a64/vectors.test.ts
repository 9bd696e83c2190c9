import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { caseRecord, emptyCases } from './case-record.ts';
import { compareCases } from './compare-cases.ts';
import { fromVector, type InstructionVector } from './instruction-vector.ts';
import { interpretCases } from './interpret-cases.ts';
import { runColdCases, translateCases } from './translate-cases.ts';

const folder = join(fileURLToPath(import.meta.url), '..', '..', '..', 'interop', 'a64');

test.each(['instructions.json', 'found.json'])('the vectors of %s', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  const vectors = JSON.parse(text) as readonly InstructionVector[];
  expect(vectors.length).toBeGreaterThan(0);
  const all = emptyCases(vectors.length);
  for (const [index, vector] of vectors.entries()) {
    caseRecord(all, index).bytes.set(fromVector(vector).before.bytes);
  }
  const results = interpretCases(all, 0);
  const wrong = vectors.flatMap((vector, index) => {
    const { after } = fromVector(vector);
    const result = caseRecord(results, index);
    // Vectors do not say addresses of faults.
    result.ending[1] = 0n;
    const differences = compareCases(result, after);
    return differences.length === 0 ? [] : [{ code: vector.code, differences }];
  });
  expect(wrong).toEqual([]);
});

/** Each alone, as number 0: some say where their code was. */
test.each([
  ['translated', translateCases],
  ['cold', runColdCases],
] as const)('the vectors of past mismatches, %s', (_, run) => {
  const vectors = JSON.parse(
    readFileSync(join(folder, 'found.json'), 'utf8'),
  ) as readonly InstructionVector[];
  for (const vector of vectors) {
    const { before, after } = fromVector(vector);
    const result = caseRecord(run(before), 0);
    result.ending[1] = 0n;
    expect({ code: vector.code, differences: compareCases(result, after) }).toEqual({
      code: vector.code,
      differences: [],
    });
  }
});
