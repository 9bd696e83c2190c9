import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxFrequency, SlotTable } from './slot-table.ts';

test('it is a map, also after removals and growth', () => {
  // Few low bits, so that chains form and wrap around.
  const hash = fc.record({
    high: fc.nat(3),
    low: fc.constantFrom(0, 1, 2, 1022, 1023, 1024, 2047),
  });
  const step = fc.record({ hash, remove: fc.boolean(), offset: fc.nat(1000), segment: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new SlotTable();
      const model = new Map<string, { segment: number; offset: number; length: number }>();
      for (const { hash: key, remove, offset, segment } of steps) {
        const name = `${key.high} ${key.low}`;
        const slot = table.find(key);
        expect(slot !== -1).toBe(model.has(name));
        if (!remove) {
          const place = { segment, offset: offset * 16, length: offset };
          table.set(key, place);
          model.set(name, place);
        } else if (slot !== -1) {
          table.remove(slot);
          model.delete(name);
        }
      }
      expect(table.count).toBe(model.size);
      for (const [name, place] of model) {
        const [high = 0, low = 0] = name.split(' ').map(Number);
        expect(table.placeAt(table.find({ high, low }))).toEqual(place);
      }
    }),
  );
});

test('it grows and keeps what it holds', () => {
  const table = new SlotTable();
  const count = 5000;
  for (let at = 0; at < count; at += 1) {
    table.set(
      { high: at, low: Math.imul(at, 2654435761) >>> 0 },
      { segment: 1, offset: at * 16, length: at },
    );
  }
  for (let at = 0; at < count; at += 1) {
    const slot = table.find({ high: at, low: Math.imul(at, 2654435761) >>> 0 });
    expect(table.placeAt(slot)).toEqual({ segment: 1, offset: at * 16, length: at });
  }
  expect(table.memoryBytes / count).toBeLessThan(50);
});

test('uses are counted up to a bound, beside the pin', () => {
  const table = new SlotTable();
  const key = { high: 1, low: 2 };
  table.set(key, { segment: 0, offset: 0, length: 16 }, { pinned: true });
  for (let uses = 0; uses < 5; uses += 1) table.touch(table.find(key));
  expect(table.frequencyAt(table.find(key))).toBe(maxFrequency);
  expect(table.isPinned(table.find(key))).toBe(true);
});
