import { join } from 'node:path';
import { encodingClasses } from '@tapline/a64';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildOracle, oraclePrograms } from './build-oracle.ts';
import { caseRecord } from './case-record.ts';
import { classCases } from './class-cases.ts';
import { findMismatch } from './find-mismatch.ts';
import { toVector } from './instruction-vector.ts';
import { interpretCases } from './interpret-cases.ts';
import { oracleModel } from './oracle-model.ts';
import { runOracle } from './run-oracle.ts';

// TAPLINE_A64_CASES=100000 TAPLINE_A64_SEED=7 npx vitest run tests/a64 looks at as many per class.
const count = Number(process.env['TAPLINE_A64_CASES'] ?? 2000);
const firstSeed = Number(process.env['TAPLINE_A64_SEED'] ?? 1);
const chunk = 20_000;

const missing = oraclePrograms.filter((program) => !haveProgram(program));
const reason = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;

describe.skipIf(missing.length > 0)(`instructions do what qemu has them do${reason}`, () => {
  let folder: TemporaryFolder;
  let program: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    program = buildOracle(join(folder.path));
  });
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  test.each(encodingClasses.map((each) => [each.name, each] as const))(
    '%s',
    { timeout: 60_000 + count * 2 },
    (_, encodingClass) => {
      const model = oracleModel(encodingClass);
      for (let done = 0; done < count; done += chunk) {
        const seed = firstSeed + done / chunk;
        const cases = classCases(encodingClass, { count: Math.min(chunk, count - done), seed });
        const theirs = (some: typeof cases): typeof cases =>
          runOracle(program, { model, cases: some });
        const mismatch = findMismatch(cases, { ours: (some) => interpretCases(some), theirs });
        if (mismatch === undefined) continue;
        const before = caseRecord(mismatch.cases, 0);
        const vector = toVector(before, caseRecord(theirs(mismatch.cases), 0));
        // To be kept in interop/a64/found.json.
        expect.fail(`${mismatch.differences.join('\n')}\n${JSON.stringify(vector)}`);
      }
    },
  );
});
