import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guestPageSize, pagePermission } from '../interpret/linear-memory.ts';
import { GuestMachine, lowestGuestAddress, type SystemCallOutcome } from './guest-machine.ts';

const { read, write, execute } = pagePermission;
const code = 0x280000;
const data = 0x300000;
const stack = 0x380000;

function machine(words: readonly number[]): GuestMachine {
  const guest = new GuestMachine({
    bytes: 0x400000,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
  });
  const { memory, cpu } = guest;
  memory.protect(code, { length: 4 * guestPageSize, permissions: read | execute });
  memory.protect(data, { length: guestPageSize, permissions: read | write });
  memory.protect(stack - 0x40000, { length: 0x40000, permissions: read | write });
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  cpu.pc = BigInt(code);
  cpu.setX(31, BigInt(stack));
  // Where nothing is: a return from the first function ends the program.
  cpu.setX(30, 0n);
  return guest;
}

const end = { kind: 'memory-fault', address: 0n, access: 'execute' };

// fib: cmp x0, #2; b.lo 36; stp x30, x19, [sp, #-32]!; str x20, [sp, #16]; mov x19, x0;
//      sub x0, x0, #1; bl fib; mov x20, x0; sub x0, x19, #2; bl fib; add x0, x0, x20;
//      ldr x20, [sp, #16]; ldp x30, x19, [sp], #32; ret
const fibonacci = [
  0xf100081f, 0x54000183, 0xa9be4ffe, 0xf9000bf4, 0xaa0003f3, 0xd1000400, 0x97fffffa, 0xaa0003f4,
  0xd1000a60, 0x97fffff7, 0x8b140000, 0xf9400bf4, 0xa8c24ffe, 0xd65f03c0,
];

describe('translated and interpreted code agree', () => {
  const programs: readonly (readonly [string, readonly number[], bigint, bigint])[] = [
    ['a function that calls itself', fibonacci, 15n, 610n],
    [
      // mov x1, #0; 1: add x1, x1, x0; subs x0, x0, #1; b.ne 1b; mov x0, x1; ret
      'a loop',
      [0xd2800001, 0x8b000021, 0xf1000400, 0x54ffffc1, 0xaa0103e0, 0xd65f03c0],
      1000n,
      500_500n,
    ],
    [
      // mov x1, x0; mov x2, #0; 1: mov x3, x1; 2: add x2, x2, #1; subs x3, x3, #1; b.ne 2b;
      // subs x1, x1, #1; b.ne 1b; mov x0, x2; ret
      'a loop in a loop',
      [
        0xaa0003e1, 0xd2800002, 0xaa0103e3, 0x91000442, 0xf1000463, 0x54ffffc1, 0xf1000421,
        0x54ffff61, 0xaa0203e0, 0xd65f03c0,
      ],
      20n,
      210n,
    ],
    [
      // tbz x0, #0, 2f; 1: add x1, x1, #1; 2: add x1, x1, #16; subs x0, x0, #1; b.gt 1b; mov x0, x1; ret
      'a loop with two ways in',
      [0x36000040, 0x91000421, 0x91004021, 0xf1000400, 0x54ffffac, 0xaa0103e0, 0xd65f03c0],
      8n,
      135n,
    ],
  ];

  test.each(programs)('%s', (_, words, argument, expected) => {
    for (const entries of [[], [code]]) {
      const guest = machine(words);
      guest.cpu.setX(0, argument);
      guest.cpu.setX(1, 0n);
      guest.translate(entries);
      expect(guest.run(1_000_000)).toEqual(end);
      expect(guest.cpu.x(0)).toBe(expected);
      expect(guest.cpu.x(31)).toBe(BigInt(stack));
    }
  });

  test('a table of branches', () => {
    // adr x1, 4f; add x1, x1, x0, lsl #3; br x1; nop; 4: mov x0, #7; ret; mov x0, #8; ret
    const words = [
      0x10000081, 0x8b000c21, 0xd61f0020, 0xd503201f, 0xd28000e0, 0xd65f03c0, 0xd2800100,
      0xd65f03c0,
    ];
    for (const [argument, expected] of [
      [0n, 7n],
      [1n, 8n],
    ] as const) {
      const guest = machine(words);
      guest.translate([code, code + 16]);
      guest.cpu.setX(0, argument);
      expect(guest.run(100)).toEqual(end);
      expect(guest.cpu.x(0)).toBe(expected);
    }
  });

  test('calls that are too deep for the host go on from there', () => {
    // stp x30, xzr, [sp, #-16]!; cbz x0, 1f; sub x0, x0, #1; bl 0; 1: add x1, x1, #1;
    // ldp x30, xzr, [sp], #16; ret
    const guest = machine([
      0xa9bf7ffe, 0xb4000060, 0xd1000400, 0x97fffffd, 0x91000421, 0xa8c17ffe, 0xd65f03c0,
    ]);
    guest.cpu.setX(0, 10_000n);
    guest.cpu.setX(1, 0n);
    guest.translate([code]);
    expect(guest.run(10_000_000)).toEqual(end);
    expect(guest.cpu.x(1)).toBe(10_001n);
  });
});

test('a branch below all addresses is a fault there, and at no other address', () => {
  // b -0x4000000
  const guest = machine([0x17000000]);
  const address = BigInt.asUintN(64, BigInt(code) - 0x4000000n);
  expect(guest.run(1000)).toEqual({ kind: 'memory-fault', address, access: 'execute' });
  expect(guest.cpu.pc).toBe(address);
});

test('a fault leaves the state as it was before the instruction', () => {
  // mov x1, #5; str x1, [x0]; mov x1, #6; ldr x2, [x1, #8]; ret
  const guest = machine([0xd28000a1, 0xf9000001, 0xd28000c1, 0xf9400422, 0xd65f03c0]);
  guest.cpu.setX(0, BigInt(data));
  guest.cpu.setX(2, 99n);
  guest.translate([code]);
  expect(guest.run(100)).toEqual({ kind: 'memory-fault', address: 14n, access: 'read' });
  expect(guest.cpu.pc).toBe(BigInt(code + 12));
  expect([guest.cpu.x(1), guest.cpu.x(2)]).toEqual([6n, 99n]);
  expect(guest.memory.read(data, 3)).toBe(5n);
});

test('a place that a program comes to often is translated without being asked for', () => {
  const guest = new GuestMachine({
    bytes: 0x400000,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
    hotAfter: 100,
  });
  const { memory, cpu } = guest;
  memory.protect(code, { length: guestPageSize, permissions: read | execute });
  // 1: add x0, x0, #1; subs x1, x1, #1; b.ne 1b; brk #0
  const words = [0x91000400, 0xf1000421, 0x54ffffc1, 0xd4200000];
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  cpu.pc = BigInt(code);
  cpu.setX(0, 0n);
  cpu.setX(1, 10_000n);
  expect(guest.run(15_000)).toEqual({ kind: 'breakpoint', imm: 0 });
  expect(guest.isTranslated(code)).toBe(true);
  expect(cpu.x(0)).toBe(10_000n);
});

test('code that was written anew runs as it is now', () => {
  // str w1, [x2]; ic ivau, x2; dsb ish; isb; mov x0, #1; ret: the fifth is what is written.
  const words = [0xb9000041, 0xd50b7522, 0xd5033b9f, 0xd5033fdf, 0xd2800020, 0xd65f03c0];
  const guest = machine(words);
  const { cpu, memory } = guest;
  memory.protect(code, { length: guestPageSize, permissions: read | write | execute });
  const call = (word: number): bigint => {
    cpu.setX(1, BigInt(word));
    cpu.setX(2, BigInt(code + 16));
    cpu.setX(30, 0n);
    cpu.pc = BigInt(code);
    guest.translate([code]);
    expect(guest.run(100)).toEqual(end);
    return cpu.x(0);
  };
  // mov x0, #2; mov x0, #3
  expect(call(0xd2800040)).toBe(2n);
  expect(call(0xd2800060)).toBe(3n);
});

test('a page that is no code any more is not run', () => {
  const guest = machine([0xd65f03c0]);
  guest.translate([code]);
  guest.memory.protect(code, { length: guestPageSize, permissions: read });
  const stop = { kind: 'memory-fault', address: BigInt(code), access: 'execute' };
  expect(guest.run(100)).toEqual(stop);
});

test('an endless loop comes back when its fuel is used up', () => {
  const guest = machine([0x91000400, 0x17ffffff]);
  guest.cpu.setX(0, 0n);
  guest.translate([code]);
  expect(guest.run(1000)).toEqual({ kind: 'fuel' });
  expect(guest.cpu.x(0)).toBeGreaterThan(900n);
  const before = guest.cpu.x(0);
  expect(guest.run(1000)).toEqual({ kind: 'fuel' });
  expect(guest.cpu.x(0)).toBeGreaterThan(before);
});

test('calls that come to no end without a loop come back when fuel is used up', () => {
  const guest = machine(fibonacci);
  guest.cpu.setX(0, 90n);
  guest.translate([code]);
  expect(guest.run(1000)).toEqual({ kind: 'fuel' });
});

test('functions that jump to each other for ever come back when fuel is used up', () => {
  // adr x1, 12; br x1; nop; 12: adr x1, 0; br x1
  const guest = machine([0x10000061, 0xd61f0020, 0xd503201f, 0x10ffffa1, 0xd61f0020]);
  guest.translate([code, code + 12]);
  expect(guest.run(1000)).toEqual({ kind: 'fuel' });
});

test('a table of branches that is seen to be used becomes part of the function', () => {
  const guest = new GuestMachine({
    bytes: 0x400000,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
    hotAfter: 20,
  });
  const { memory, cpu } = guest;
  memory.protect(code, { length: guestPageSize, permissions: read | execute });
  // 0: and x2, x1, #1; adr x3, 32; add x3, x3, x2, lsl #3; br x3; (16 bytes that are not come to);
  // 32: add x0, x0, #1; b 48; 40: add x0, x0, #100; nop; 48: subs x1, x1, #1; b.ne 0; brk #0
  const words = [
    0x92400022, 0x100000e3, 0x8b020c63, 0xd61f0060, 0xd503201f, 0xd503201f, 0xd503201f, 0xd503201f,
    0x91000400, 0x14000003, 0x91019000, 0xd503201f, 0xf1000421, 0x54fffe61, 0xd4200000,
  ];
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  cpu.pc = BigInt(code);
  cpu.setX(0, 0n);
  cpu.setX(1, 20_000n);
  // Two of each turn: the loop's, and that of where the table is gone through.
  expect(guest.run(50_000)).toEqual({ kind: 'breakpoint', imm: 0 });
  expect(cpu.x(0)).toBe(10_000n * 101n);
});

/** A function that calls another, which calls the system and adds one to what comes back. */
function callingTheSystem(systemCall: (guest: GuestMachine) => SystemCallOutcome): GuestMachine {
  // stp x30, xzr, [sp, #-16]!; bl 16; ldp x30, xzr, [sp], #16; ret; 16: svc #0; add x0, x0, #1; ret
  const words = [
    0xa9bf7ffe, 0x94000003, 0xa8c17ffe, 0xd65f03c0, 0xd4000001, 0x91000400, 0xd65f03c0,
  ];
  const guest: GuestMachine = new GuestMachine({
    bytes: 0x400000,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
    systemCall: () => systemCall(guest),
  });
  const { memory, cpu } = guest;
  memory.protect(code, { length: guestPageSize, permissions: read | execute });
  memory.protect(stack - guestPageSize, { length: guestPageSize, permissions: read | write });
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  cpu.pc = BigInt(code);
  cpu.setX(31, BigInt(stack));
  cpu.setX(30, 0n);
  guest.translate([code, code + 16]);
  return guest;
}

test('a system call is made from within translated code', () => {
  const calls: bigint[] = [];
  const guest = callingTheSystem(({ cpu }) => {
    calls.push(cpu.pc);
    cpu.setX(0, 41n);
    return 'done';
  });
  expect(guest.run(100)).toEqual(end);
  expect(guest.cpu.x(0)).toBe(42n);
  expect(calls).toEqual([BigInt(code + 20)]);
});

test('a system call that is not made from within stops translated code after it', () => {
  const guest = callingTheSystem(() => 'refused');
  expect(guest.run(100)).toEqual({ kind: 'system-call' });
  expect(guest.cpu.pc).toBe(BigInt(code + 20));
  guest.cpu.setX(0, 41n);
  expect(guest.run(100)).toEqual(end);
  expect(guest.cpu.x(0)).toBe(42n);
});

test('a thread that does not go on after a system call leaves translated code', () => {
  const guest = callingTheSystem(({ cpu }) => {
    cpu.setX(0, 41n);
    return 'left';
  });
  expect(guest.run(100)).toEqual({ kind: 'fuel' });
  expect(guest.cpu.pc).toBe(BigInt(code + 20));
  expect(guest.run(100)).toEqual(end);
  expect(guest.cpu.x(0)).toBe(42n);
});

test('a function of more than one body has room for is cut', () => {
  // 3,000 of add x0, x0, #1, and ret
  const words = [...Array.from({ length: 3000 }, () => 0x91000400), 0xd65f03c0];
  const guest = machine(words);
  guest.cpu.setX(0, 0n);
  guest.translate([code]);
  expect(guest.run(10_000)).toEqual(end);
  expect(guest.cpu.x(0)).toBe(3000n);
});

test('a guest needs more memory than the machine does', () => {
  const environment = { counter: () => 0n, counterFrequency: 1n, identification: () => 0n };
  expect(() => new GuestMachine({ bytes: lowestGuestAddress, environment })).toThrow(
    '2097152 bytes of memory for a guest',
  );
});

test('whatever the code is, it is translated, and changes nothing that it may not', () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  // Of random words most are nothing; those with these top bits are instructions.
  const likely = fc
    .tuple(fc.constantFrom(0x11, 0x0b, 0x2a, 0x54, 0x34, 0x36, 0x39, 0xb9, 0xf9, 0xa9, 0x1a), word)
    .map(([top, rest]) => ((top << 24) | (rest & 0xffffff)) >>> 0);
  fc.assert(
    fc.property(fc.array(fc.oneof(likely, word), { minLength: 4, maxLength: 40 }), (words) => {
      const guest = machine(words);
      for (let register = 0; register < 30; register++) {
        guest.cpu.setX(
          register,
          BigInt(register % 3 === 0 ? data + register * 8 : register * 0x10001),
        );
      }
      const own = guest.memory.bytesAt(0x100000, 0x180000).slice();
      guest.translate([code, code + 8]);
      guest.run(200);
      expect(Buffer.compare(guest.memory.bytesAt(0x100000, 0x180000), own)).toBe(0);
    }),
    { numRuns: 200 },
  );
});
