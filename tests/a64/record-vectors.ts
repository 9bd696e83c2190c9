import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encodingClasses, type Instruction } from '@tapline/a64';
import { temporaryFolder } from '@tapline/testing';
import { buildOracle } from './build-oracle.ts';
import { caseRecord, type CaseRecord, type Cases, emptyCases } from './case-record.ts';
import { classCases } from './class-cases.ts';
import { type InstructionVector, toVector } from './instruction-vector.ts';
import { oracleModel } from './oracle-model.ts';
import { runOracle } from './run-oracle.ts';

/** Writes interop/a64/instructions.json: one case of each instruction, answered by qemu. */
const perClass = 4000;
const root = join(fileURLToPath(import.meta.url), '..', '..', '..');
const lists: ReadonlySet<string> = new Set([
  'load-store-structures',
  'load-store-lane',
  'vector-table',
  'compare-and-swap',
]);
const fields = ['rd', 'rn', 'rm', 'ra', 'rt', 'rt2', 'rs'] as const;

/** Registers that no field names are cleared, but for those that lists and pairs go on with. */
function clearOthers(record: CaseRecord, instruction: Instruction): void {
  const named = new Set<number>();
  for (const field of fields) {
    const register: unknown = (instruction as Partial<Record<string, unknown>>)[field];
    if (typeof register !== 'number') continue;
    for (let next = 0; next < (lists.has(instruction.kind) ? 4 : 1); next++)
      named.add((register + next) % 32);
  }
  const { kind } = instruction;
  const vectorsOnly = /^(vector|sha|aes)/.test(kind) && !kind.endsWith('general');
  const generalOnly = !/^(vector|scalar|sha|aes|fp|integer-to|load)/.test(kind);
  for (let register = 0; register < 32; register++) {
    if (!named.has(register) || vectorsOnly) record.general[register] = 0n;
    if (!named.has(register) || generalOnly)
      record.vectors.fill(0n, register * 2, register * 2 + 2);
  }
  if (!kind.startsWith('load') && kind !== 'atomic' && kind !== 'compare-and-swap')
    record.window.fill(0);
}

function oneOfEach(cases: Cases): Cases {
  const chosen = new Map<string, CaseRecord>();
  for (let index = 0; index < cases.count; index++) {
    const record = caseRecord(cases, index);
    const instruction = decode(record.code[0] ?? 0);
    // What is steered to its own code would have to be there again.
    if (instruction === undefined || instruction.kind === 'branch-register') continue;
    if (instruction.kind === 'load-literal') continue;
    const upper = 'upper' in instruction && instruction.upper ? '2' : '';
    const wide = 'wide' in instruction && instruction.wide ? ' x' : '';
    const key = `${instruction.kind} ${instruction.op}${upper}${wide}`;
    if (chosen.has(key)) continue;
    clearOthers(record, instruction);
    chosen.set(key, record);
  }
  const result = emptyCases(chosen.size);
  for (const [index, record] of [...chosen.values()].entries()) {
    caseRecord(result, index).bytes.set(record.bytes);
  }
  return result;
}

await using folder = await temporaryFolder();
const program = buildOracle(folder.path);
const vectors: InstructionVector[] = [];
for (const encodingClass of encodingClasses) {
  const all = oneOfEach(classCases(encodingClass, { count: perClass, seed: 0xa64 }));
  for (let index = 0; index < all.count; index++) {
    const cases = emptyCases(1);
    cases.bytes.set(caseRecord(all, index).bytes);
    const results = runOracle(program, { model: oracleModel(encodingClass), cases });
    vectors.push(toVector(caseRecord(cases, 0), caseRecord(results, 0)));
  }
}
const lines = vectors.map((vector) => `  ${JSON.stringify(vector)}`);
writeFileSync(join(root, 'interop/a64/instructions.json'), `[\n${lines.join(',\n')}\n]\n`);
console.log(`${vectors.length} vectors`);
