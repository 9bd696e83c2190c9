import {
  Cpu,
  cpuLayout,
  guestPageSize,
  Interpreter,
  LinearMemory,
  pagePermission,
  type Stop,
} from '@tapline/a64';
import {
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
const codePages = { start: 0x180000, length: 0x8000 };
const size = 4 * 1024 * 1024;

interface Machine {
  readonly cpu: Cpu;
  readonly interpreter: Interpreter;
  /** The bytes of the processor's state. */
  readonly state: Uint8Array;
}

/** The cases run by the interpreter, each where its number says, or all in one place. */
export function interpretCases(cases: Cases, place?: number): Cases {
  const results = emptyCases(cases.count);
  results.bytes.set(cases.bytes);
  const machine = createMachine();
  for (let index = 0; index < cases.count; index++) {
    interpretCase(caseRecord(results, index), place ?? index, machine);
  }
  return results;
}

function createMachine(): Machine {
  const memory = new LinearMemory(new ArrayBuffer(size), size / guestPageSize);
  const { read, write, execute } = pagePermission;
  const code = { length: codePages.length, permissions: read | write | execute };
  memory.protect(codePages.start, code);
  memory.protect(windowPage, { length: guestPageSize, permissions: read | write });
  const buffer = new ArrayBuffer(cpuLayout.size);
  const environment = {
    counter: () => 0n,
    counterFrequency: 62_500_000n,
    identification: () => 0n,
  };
  return {
    cpu: new Cpu(memory, { environment, buffer, offset: 0 }),
    interpreter: new Interpreter(),
    state: new Uint8Array(buffer),
  };
}

/** Changes the record from what is before to what is after. */
function interpretCase(record: CaseRecord, index: number, machine: Machine): void {
  const { cpu, interpreter, state } = machine;
  const { memory } = cpu;
  const start = codeAddress(index);
  memory.bytesAt(windowPage, guestPageSize).fill(0);
  const window = record.bytes.subarray(832);
  memory.bytesAt(windowAddress, windowSize).set(window);
  for (let word = 0; word < slotWords; word++) {
    memory.write(start - 16 + word * 4, BigInt(record.code[word - 4] ?? breakpoint), 2);
  }
  state.set(record.bytes.subarray(0, 256), cpuLayout.general);
  state.set(record.bytes.subarray(320, 832), cpuLayout.vector);
  cpu.nzcv = Number(record.flags[0] ?? 0n) >>> 28;
  [cpu.fpsr = 0, cpu.fpcr = 0] = record.floating;
  cpu.threadPointer = 0n;
  cpu.reservation = undefined;
  cpu.pc = BigInt(start);
  const stop = interpreter.run(cpu, 100);
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
