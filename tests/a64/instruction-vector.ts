import {
  breakpoint,
  caseRecord,
  type CaseRecord,
  type Cases,
  emptyCases,
  signals,
} from './case-record.ts';

/** Registers and words of memory by name, in hexadecimal; what is not there is zero. */
export type VectorState = Readonly<Record<string, string>>;

/** One case for any language: code, the state before it, and what is different after it. */
export interface InstructionVector {
  readonly code: readonly string[];
  readonly before: VectorState;
  readonly after: VectorState;
  readonly signal: 'undefined' | 'trap' | 'fault';
  /** From the first instruction, in bytes. */
  readonly pc: number;
}

const start = 0x280010n;

export function toVector(before: CaseRecord, after: CaseRecord): InstructionVector {
  const first = stateOf(before);
  const second = stateOf(after);
  const changed: Record<string, string> = {};
  for (const name of new Set([...Object.keys(first), ...Object.keys(second)])) {
    if (first[name] !== second[name]) changed[name] = second[name] ?? '0';
  }
  const [signal = 0n, , pc = 0n] = after.ending;
  const name = (Object.keys(signals) as (keyof typeof signals)[]).find(
    (each) => BigInt(signals[each]) === signal,
  );
  return {
    code: Array.from(before.code, (word) => word.toString(16)).filter(
      (word, index) => index === 0 || word !== breakpoint.toString(16),
    ),
    before: first,
    after: changed,
    signal: name === undefined || name === 'bus' ? 'fault' : name,
    pc: Number(pc - start),
  };
}

/** The case before, and what it has to come to. */
export function fromVector(vector: InstructionVector): {
  readonly before: Cases;
  readonly after: CaseRecord;
} {
  const before = emptyCases(1);
  const record = caseRecord(before, 0);
  record.code.fill(breakpoint);
  record.code.set(vector.code.map((word) => Number.parseInt(word, 16)));
  setState(record, vector.before);
  const results = emptyCases(1);
  results.bytes.set(before.bytes);
  const after = caseRecord(results, 0);
  setState(after, vector.after);
  after.ending.set([BigInt(signals[vector.signal]), 0n, start + BigInt(vector.pc)]);
  return { before, after };
}

const fields = ['general', 'vectors', 'window', 'floating', 'flags'] as const;

function stateOf(record: CaseRecord): Record<string, string> {
  const state: Record<string, string> = {};
  for (const field of fields) {
    for (const [index, value] of record[field].entries()) {
      if (Number(value) !== 0) state[`${field}.${index}`] = value.toString(16);
    }
  }
  return state;
}

function setState(record: CaseRecord, state: VectorState): void {
  for (const [name, text] of Object.entries(state)) {
    const [field = '', index = ''] = name.split('.');
    const value = BigInt(`0x${text}`);
    const known = fields.find((each) => each === field);
    if (known === undefined) throw new Error(`a vector has ${name}, which no case has`);
    if (known === 'window' || known === 'floating') record[known][Number(index)] = Number(value);
    else record[known][Number(index)] = value;
  }
}
