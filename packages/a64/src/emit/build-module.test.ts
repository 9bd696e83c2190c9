import { expect, test } from 'vitest';
import { moduleIndex } from './build-module.ts';
import { translate } from './translate.ts';
import { wasmOp } from './wasm.ts';

const sectionId = { custom: 0, code: 10 } as const;
const headerSize = 8;

test('each hint is about a branch', () => {
  // again: ldr x1, [x0], #8; add x2, x2, x1; cbnz x1, again; bl .; ret
  const words = [0xf8408401, 0x8b010042, 0xb5ffffc1, 0x94000000, 0xd65f03c0];
  const { bytes } = translate([0x400000], { readWord: (pc) => words[(pc - 0x400000) / 4] });
  const functions = readFunctions(bytes);
  const hints = reader(readSection(bytes, sectionId.custom));
  expect(new TextDecoder().decode(hints.skip(hints.number()))).toBe('metadata.code.branch_hint');
  let found = 0;
  for (let left = hints.number(); left > 0; left--) {
    const body = functions[hints.number() - moduleIndex.flags];
    for (let count = hints.number(); count > 0; count--) {
      expect([wasmOp.if, wasmOp.brIf]).toContain(body?.[hints.number()]);
      expect([hints.number(), hints.number()]).toEqual([1, 0]);
      found++;
    }
  }
  // Fuel and memory, each with what it asks then; the call's depth and where it comes back to.
  expect(found).toBeGreaterThanOrEqual(6);
});

/** The bodies of the code section, from their locals on. */
function readFunctions(bytes: Uint8Array): readonly Uint8Array[] {
  const code = reader(readSection(bytes, sectionId.code));
  return Array.from({ length: code.number() }, () => code.skip(code.number()));
}

function readSection(bytes: Uint8Array, id: number): Uint8Array {
  const module = reader(bytes.subarray(headerSize));
  for (;;) {
    const found = module.number();
    const section = module.skip(module.number());
    if (found === id || section.length === 0) return section;
  }
}

function reader(bytes: Uint8Array): {
  number: () => number;
  skip: (size: number) => Uint8Array;
} {
  let place = 0;
  return {
    number: () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[place++] ?? 0;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    },
    skip: (size) => bytes.subarray(place, (place += size)),
  };
}
