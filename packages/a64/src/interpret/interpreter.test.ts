import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cpu } from './cpu.ts';
import { cpuLayout } from './cpu-layout.ts';
import { Interpreter } from './interpreter.ts';
import { guestPageSize, LinearMemory, pagePermission } from './linear-memory.ts';

const { read, write, execute } = pagePermission;
const code = 0x1000;
const data = 0x3000;

/** One page of code at 0x1000, one of data at 0x3000, and nothing else. */
function machine(words: readonly number[]): { readonly cpu: Cpu; readonly memory: LinearMemory } {
  const memory = new LinearMemory(new ArrayBuffer(0x8000), new Uint8Array(8));
  memory.protect(code, { length: guestPageSize, permissions: read | execute });
  memory.protect(data, { length: guestPageSize, permissions: read | write });
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  const cpu = new Cpu(memory, {
    environment: { counter: () => 7n, counterFrequency: 1000n, identification: () => 42n },
    buffer: new ArrayBuffer(cpuLayout.size),
    offset: 0,
  });
  cpu.pc = BigInt(code);
  return { cpu, memory };
}

test('runs a loop up to a system call, and goes on after it', () => {
  // mov x0, #0; mov x1, #10; add x0, x0, x1; subs x1, x1, #1; b.ne -8; svc #0; brk #3
  const { cpu } = machine([
    0xd2800000, 0xd2800141, 0x8b010000, 0xf1000421, 0x54ffffc1, 0xd4000001, 0xd4200060,
  ]);
  const interpreter = new Interpreter();
  expect(interpreter.run(cpu, 1000)).toEqual({ kind: 'system-call' });
  expect(cpu.x(0)).toBe(55n);
  expect(cpu.pc).toBe(BigInt(code + 24));
  expect(interpreter.run(cpu, 1000)).toEqual({ kind: 'breakpoint', imm: 3 });
  expect(cpu.pc).toBe(BigInt(code + 24));
});

test('stops when its fuel is used up, with all state where it was', () => {
  // b 0
  const { cpu } = machine([0x14000000]);
  expect(new Interpreter().run(cpu, 50)).toEqual({ kind: 'fuel' });
  expect(cpu.pc).toBe(BigInt(code));
});

test.each<[string, number, bigint, object]>([
  ['a load of no page', 0xf9400001, 0x5000n, { address: 0x5000n, access: 'read' }],
  ['a store to code', 0xf9000001, 0x1000n, { address: 0x1000n, access: 'write' }],
  ['a load past the end', 0xf9400001, 0x7ffcn, { address: 0x7ffcn, access: 'read' }],
  ['a load across pages', 0xf9400001, 0x3ffcn, { address: 0x4000n, access: 'read' }],
  ['a load far away', 0xf9400001, 1n << 40n, { address: 1n << 40n, access: 'read' }],
])('%s is a fault, and changes nothing', (_, word, address, expected) => {
  const { cpu } = machine([word]);
  cpu.setX(0, address);
  cpu.setX(1, 99n);
  expect(new Interpreter().run(cpu, 10)).toEqual({ kind: 'memory-fault', ...expected });
  expect(cpu.pc).toBe(BigInt(code));
  expect(cpu.x(1)).toBe(99n);
});

test('a branch to what is no code is a fault there', () => {
  // br x0
  const { cpu } = machine([0xd61f0000]);
  cpu.setX(0, 0x3000n);
  const stop = new Interpreter().run(cpu, 10);
  expect(stop).toEqual({ kind: 'memory-fault', address: 0x3000n, access: 'execute' });
  expect(cpu.pc).toBe(0x3000n);
});

test('the top byte of an address is ignored', () => {
  const { cpu, memory } = machine([0xf9400001]);
  memory.write(data, 0x1234n, 3);
  cpu.setX(0, 0xab00000000003000n);
  new Interpreter().run(cpu, 1);
  expect(cpu.x(1)).toBe(0x1234n);
});

test('time and identification come from outside', () => {
  // mrs x0, cntvct_el0; mrs x1, cntfrq_el0; mrs x2, midr_el1
  const { cpu } = machine([0xd53be040, 0xd53be001, 0xd5380002]);
  new Interpreter().run(cpu, 3);
  expect([cpu.x(0), cpu.x(1), cpu.x(2)]).toEqual([7n, 1000n, 42n]);
});

test('code that was changed runs as it is now', () => {
  const { cpu, memory } = machine([0xd2800020]);
  const interpreter = new Interpreter();
  interpreter.run(cpu, 1);
  expect(cpu.x(0)).toBe(1n);
  memory.write(code, 0xd2800040n, 2);
  cpu.pc = BigInt(code);
  interpreter.run(cpu, 1);
  expect(cpu.x(0)).toBe(2n);
});

test('no program throws, or changes what it may not', () => {
  const words = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 20 });
  const registers = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
    minLength: 32,
    maxLength: 32,
  });
  fc.assert(
    fc.property(words, registers, (program, values) => {
      const { cpu, memory } = machine(program);
      for (const [register, value] of values.entries()) cpu.setX(register, value & 0x7fffn);
      const before = memory.bytesAt(0, code + guestPageSize).slice();
      new Interpreter().run(cpu, 100);
      expect(memory.bytesAt(0, code + guestPageSize)).toEqual(before);
    }),
    { numRuns: 2000 },
  );
});
