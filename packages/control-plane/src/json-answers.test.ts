import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog, TaplineError } from '@tapline/base';
import { expect, test } from 'vitest';
import { answerFailure } from './json-answers.ts';

test('who has sent all of a body is told why it was refused', async () => {
  const server = createServer((request, response) => {
    void drain(request).then(() =>
      answerFailure({ request, response }, new TaplineError('bad_request', 'no JSON'), silentLog),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ code: 'bad_request', message: 'no JSON' });
  server.closeAllConnections();
  server.close();
});

async function drain(request: IncomingMessage): Promise<void> {
  for await (const chunk of request) void chunk;
}
