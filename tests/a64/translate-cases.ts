import { GuestMachine, guestPageSize, pagePermission } from '@tapline/a64';
import {
  batchSize,
  type Cases,
  caseRecord,
  codeAddress,
  emptyCases,
  windowPage,
} from './case-record.ts';
import {
  codePages,
  memorySize,
  oracleEnvironment,
  runCase,
  writeBatch,
} from './interpret-cases.ts';

/** The cases, each translated to a function of its own, batch by batch. */
export function translateCases(cases: Cases): Cases {
  return runCases(cases, true);
}

/** The cases, run by what runs code that is not translated. */
export function runColdCases(cases: Cases): Cases {
  return runCases(cases, false);
}

function runCases(cases: Cases, translated: boolean): Cases {
  const results = emptyCases(cases.count);
  results.bytes.set(cases.bytes);
  for (let first = 0; first < cases.count; first += batchSize) {
    runBatch(results, { first, end: Math.min(first + batchSize, cases.count), translated });
  }
  return results;
}

function runBatch(
  results: Cases,
  batch: { readonly first: number; readonly end: number; readonly translated: boolean },
): void {
  const { first, end, translated } = batch;
  const machine = new GuestMachine({ bytes: memorySize, environment: oracleEnvironment });
  const { cpu, memory } = machine;
  const { read, write, execute } = pagePermission;
  const code = { length: codePages.length, permissions: read | write | execute };
  memory.protect(codePages.start, code);
  memory.protect(windowPage, { length: guestPageSize, permissions: read | write });
  // Where the last batch is a short one, the places behind it have what the batch before left there.
  if (first > 0) writeBatch(results, first - batchSize, memory);
  writeBatch(results, first, memory);
  if (translated) {
    machine.translate(Array.from({ length: end - first }, (_, at) => codeAddress(first + at)));
  }
  for (let index = first; index < end; index++) {
    runCase(caseRecord(results, index), index, { cpu, run: () => machine.run(100) });
  }
}
