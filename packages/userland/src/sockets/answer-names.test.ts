import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerNames } from './answer-names.ts';

const known: Readonly<Record<string, readonly string[]>> = {
  'files.example': ['10.1.2.3', '2001:db8::1'],
};

async function resolve(name: string): Promise<readonly string[]> {
  return await Promise.resolve(known[name] ?? []);
}

function query(name: string, type: number): Uint8Array {
  const labels = name
    .split('.')
    .flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1);
}

test.each<[string, number, number, readonly number[]]>([
  ['files.example', 1, 0, [0, 4, 10, 1, 2, 3]],
  ['files.example', 28, 0, [0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ['nothing.example', 1, 3, []],
])('%s of type %d', async (name, type, code, end) => {
  const asked = query(name, type);
  const answer = await answerNames(asked, resolve);
  expect([...(answer?.subarray(0, 8) ?? [])]).toEqual([
    0x12,
    0x34,
    0x81,
    0x80 | code,
    0,
    1,
    0,
    end.length > 0 ? 1 : 0,
  ]);
  expect([...(answer?.subarray(asked.length) ?? [])].slice(10)).toEqual(end);
});

test('no packet is too strange', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
      const answer = await answerNames(bytes, resolve);
      expect((answer ?? bytes).subarray(0, 2)).toEqual(bytes.subarray(0, 2));
    }),
  );
});
