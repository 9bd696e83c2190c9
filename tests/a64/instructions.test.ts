import { encodingClasses } from '@tapline/a64';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildOracle, oraclePrograms } from './build-oracle.ts';
import { caseRecord, type Cases, firstCases } from './case-record.ts';
import { classCases } from './class-cases.ts';
import { findMismatch, type RunCases } from './find-mismatch.ts';
import { toVector } from './instruction-vector.ts';
import { interpretCases } from './interpret-cases.ts';
import { oracleModel } from './oracle-model.ts';
import { type ProcessorModel, runOracle } from './run-oracle.ts';
import { sequenceCases } from './sequence-cases.ts';
import { runColdCases, translateCases } from './translate-cases.ts';
import { hasOwnTranslation, isDoneCold } from './has-own-translation.ts';

// TAPLINE_A64_CASES=100000 TAPLINE_A64_SEED=7 npx vitest run tests/a64 looks at as many per class.
const count = Number(process.env['TAPLINE_A64_CASES'] ?? 2000);
const firstSeed = Number(process.env['TAPLINE_A64_SEED'] ?? 1);
const chunk = 20_000;
/** Of what translated and cold code leave to the interpreter: registers have to come and go. */
const interpretedShare = 0.1;

const missing = oraclePrograms.filter((program) => !haveProgram(program));
const reason = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;

describe.skipIf(missing.length > 0)(`instructions do what qemu has them do${reason}`, () => {
  let folder: TemporaryFolder;
  let program: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    program = buildOracle(folder.path);
  });
  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  const timeout = 60_000 + count * 2;

  /** The first disagreement as text, with the vector to be kept in interop/a64/found.json. */
  function disagreement(
    make: (count: number, seed: number) => Cases,
    how: { readonly model: ProcessorModel; readonly translated: number; readonly cold: number },
  ): string | undefined {
    const { model } = how;
    const theirs: RunCases = (cases) => runOracle(program, { model, cases });
    for (let done = 0; done < count; done += chunk) {
      const cases = make(Math.min(chunk, count - done), firstSeed + done / chunk);
      const expected = theirs(cases);
      const engines = [
        { name: 'interpreter', run: (some: Cases) => interpretCases(some), share: 1 },
        { name: 'translator', run: translateCases, share: how.translated },
        { name: 'cold code', run: runColdCases, share: how.cold },
      ];
      for (const { name, run, share } of engines) {
        const some = firstCases(cases, Math.ceil(cases.count * share));
        const mismatch = findMismatch(some, { ours: run, theirs, expected });
        if (mismatch === undefined) continue;
        const before = caseRecord(mismatch.cases, 0);
        const vector = toVector(before, caseRecord(theirs(mismatch.cases), 0));
        return `${name}: ${mismatch.differences.join('\n')}\n${JSON.stringify(vector)}`;
      }
    }
    return undefined;
  }

  test.each(encodingClasses.map((each) => [each.name, each] as const))(
    '%s',
    { timeout },
    (_, encodingClass) => {
      const model = oracleModel(encodingClass);
      const translated = hasOwnTranslation(encodingClass) ? 1 : interpretedShare;
      const cold = isDoneCold(encodingClass) ? 1 : interpretedShare;
      const make = (some: number, seed: number): Cases =>
        classCases(encodingClass, { count: some, seed });
      expect(disagreement(make, { model, translated, cold })).toBeUndefined();
    },
  );

  test('sequences of instructions', { timeout }, () => {
    const how = { model: 'cortex-a57', translated: 1, cold: 1 } as const;
    expect(disagreement(sequenceCases, how)).toBeUndefined();
  });
});
