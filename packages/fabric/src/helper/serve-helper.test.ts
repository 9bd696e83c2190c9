import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { ProgramResult } from './run-program.ts';
import { serveHelper } from './serve-helper.ts';

const up = { kind: 'link-up', name: 'tv7000' };

/** Answers of a helper whose programs end with these codes, one after the other. */
async function serve(
  requests: readonly unknown[],
  codes: readonly number[],
): Promise<{ readonly answers: readonly unknown[]; readonly ran: number }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let ran = 0;
  const run = async (): Promise<ProgramResult> => {
    const code = codes[ran] ?? 0;
    ran += 1;
    // Slower than reading what is next.
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout: '', stderr: '' };
  };
  const served = serveHelper(
    { input, output, watch: () => ({ [Symbol.dispose]() {} }) },
    { wireguardKeyFile: '', agreementKeyFile: '', run },
  );
  input.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  await served;
  output.end();
  const lines = (await text(output)).trim().split('\n');
  return { answers: lines.map((line): unknown => JSON.parse(line)), ran };
}

test('what follows something that failed is not carried out, and what does not follow is', async () => {
  const { answers, ran } = await serve(
    [
      { id: 1, kind: 'execute', operations: [up] },
      { id: 2, kind: 'execute', operations: [up], follows: true },
      { id: 3, kind: 'execute', operations: [up], follows: true },
      { id: 4, kind: 'execute', operations: [up] },
      { id: 5, kind: 'execute', operations: [up], follows: true },
    ],
    [0, 1],
  );
  expect(answers).toMatchObject([
    { id: 1, result: { done: true } },
    { id: 2, result: { done: false, failed: 0 } },
    { id: 3, result: { done: false, message: 'what comes before it was not carried out' } },
    { id: 4, result: { done: true } },
    { id: 5, result: { done: true } },
  ]);
  expect(ran).toBe(4);
});

test('a new helper does not know what came before', async () => {
  const { answers, ran } = await serve(
    [{ id: 1, kind: 'execute', operations: [up], follows: true }],
    [],
  );
  expect(answers).toMatchObject([{ id: 1, result: { done: false } }]);
  expect(ran).toBe(0);
});

test('a request that is refused is answered in its turn, and nothing of it is carried out', async () => {
  const wrong = { kind: 'link-up', name: 'eth0' };
  const { answers, ran } = await serve(
    [
      { id: 1, kind: 'execute', operations: [up] },
      { id: 2, kind: 'execute', operations: [up, wrong] },
      { id: 3, kind: 'execute', operations: [up], follows: true },
      { id: 4, kind: 'other' },
    ],
    [],
  );
  expect(answers).toMatchObject([
    { id: 1, result: { done: true } },
    { id: 2, error: { code: 'operation_invalid' } },
    { id: 3, result: { done: false } },
    { id: 4, error: { code: 'request_invalid' } },
  ]);
  expect(ran).toBe(1);
});
