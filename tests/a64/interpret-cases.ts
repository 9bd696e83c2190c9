import {
  Cpu,
  type CpuEnvironment,
  cpuLayout,
  guestPageSize,
  Interpreter,
  LinearMemory,
  pagePermission,
  type Stop,
} from '@tapline/a64';
import {
  batchSize,
  breakpoint,
  type CaseRecord,
  caseRecord,
  type Cases,
  codeAddress,
  emptyCases,
  signals,
  windowAddress,
  windowPage,
  windowSize,
} from './case-record.ts';

const slotWords = 16;
export const codePages = { start: 0x280000, length: 0x8000 };
export const memorySize = 4 * 1024 * 1024;

/** What qemu's Cortex-A57 says, as far as it is compared. */
export const oracleEnvironment: CpuEnvironment = {
  counter: () => 0n,
  counterFrequency: 62_500_000n,
  identification: () => 0n,
};

/** What a case is run on. */
export interface CaseMachine {
  readonly cpu: Cpu;
  readonly run: () => Stop;
}

/** The cases run by the interpreter, each where its number says, or all in one place. */
export function interpretCases(cases: Cases, place?: number): Cases {
  const results = emptyCases(cases.count);
  results.bytes.set(cases.bytes);
  const machine = createMachine();
  for (let index = 0; index < cases.count; index++) {
    // What a case reads behind its own code is another's of its batch, which has to be there.
    if (place === undefined && index % batchSize === 0) {
      writeBatch(results, index, machine.cpu.memory);
    }
    const record = caseRecord(results, index);
    if (place !== undefined) writeCode(record, place, machine.cpu.memory);
    runCase(record, place ?? index, machine);
  }
  return results;
}

/** The code of all cases of the batch that begins with this one. */
export function writeBatch(cases: Cases, first: number, memory: LinearMemory): void {
  const end = Math.min(first + batchSize, cases.count);
  for (let index = first; index < end; index++) {
    writeCode(caseRecord(cases, index), index, memory);
  }
}

function createMachine(): CaseMachine {
  const permissions = new Uint8Array(memorySize / guestPageSize);
  const memory = new LinearMemory(new ArrayBuffer(memorySize), permissions);
  const { read, write, execute } = pagePermission;
  const code = { length: codePages.length, permissions: read | write | execute };
  memory.protect(codePages.start, code);
  memory.protect(windowPage, { length: guestPageSize, permissions: read | write });
  const buffer = new ArrayBuffer(cpuLayout.size);
  const cpu = new Cpu(memory, { environment: oracleEnvironment, buffer, offset: 0 });
  const interpreter = new Interpreter();
  return { cpu, run: () => interpreter.run(cpu, 100) };
}

/** The code of a case among breakpoints. */
function writeCode(record: CaseRecord, index: number, memory: LinearMemory): void {
  const start = codeAddress(index) - 16;
  for (let word = 0; word < slotWords; word++) {
    memory.write(start + word * 4, BigInt(record.code[word - 4] ?? breakpoint), 2);
  }
}

/** Changes the record from what is before to what is after. */
export function runCase(record: CaseRecord, index: number, machine: CaseMachine): void {
  const { cpu } = machine;
  const { memory, state } = cpu;
  memory.bytesAt(windowPage, guestPageSize).fill(0);
  const window = record.bytes.subarray(832);
  memory.bytesAt(windowAddress, windowSize).set(window);
  state.set(record.bytes.subarray(0, 256), cpuLayout.general);
  state.set(record.bytes.subarray(320, 832), cpuLayout.vector);
  cpu.nzcv = Number(record.flags[0] ?? 0n) >>> 28;
  [cpu.fpsr = 0, cpu.fpcr = 0] = record.floating;
  cpu.threadPointer = 0n;
  cpu.reservation = undefined;
  cpu.pc = BigInt(codeAddress(index));
  const stop = machine.run();
  record.bytes.set(state.subarray(0, 256));
  record.bytes.set(state.subarray(cpuLayout.vector, cpuLayout.vector + 512), 320);
  record.flags[0] = BigInt(cpu.nzcv) << 28n;
  record.floating.set([cpu.fpsr, cpu.fpcr]);
  const address = stop.kind === 'memory-fault' ? stop.address : 0n;
  record.ending.set([BigInt(signalOf(stop)), address, cpu.pc]);
  window.set(memory.bytesAt(windowAddress, windowSize));
}

function signalOf(stop: Stop): number {
  switch (stop.kind) {
    case 'breakpoint':
      return signals.trap;
    case 'undefined-instruction':
      return signals.undefined;
    case 'memory-fault':
      return signals.fault;
    case 'system-call':
    case 'fuel':
      throw new Error(`a case ended with ${stop.kind}`);
  }
}
