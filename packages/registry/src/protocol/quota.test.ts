import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { startRegistry } from '../start-registry.ts';
import { rawClient } from '../testing/raw-client.ts';

test('what exceeds a quota is denied with its limit and what is used, and fits when there is room', async () => {
  await using folder = await temporaryFolder();
  await using registry = await startRegistry({
    directory: folder.path,
    authorize: () => 'allowed',
    quotas: [{ scope: 'team', limitBytes: 25 }],
  });
  const { at, pushBlob } = rawClient(registry.url);
  const first = await pushBlob('team/a', Buffer.alloc(20, 'a'));
  expect(first.status).toBe(201);
  const refused = await pushBlob('team/b', Buffer.alloc(10, 'b'));
  expect(refused.status).toBe(403);
  expect(await refused.json()).toEqual({
    errors: [
      {
        code: 'DENIED',
        message: expect.stringContaining('would bring team to 30 of 25 bytes') as string,
        detail: expect.objectContaining({
          scope: 'team',
          repository: 'team/b',
          limitBytes: 25,
          usedBytes: 20,
          size: 10,
        }) as unknown,
      },
    ],
  });
  expect((await pushBlob('other', Buffer.alloc(10, 'b'))).status).toBe(201);
  const location = first.headers.get('location') ?? '';
  expect((await fetch(at(location), { method: 'DELETE' })).status).toBe(202);
  expect((await pushBlob('team/b', Buffer.alloc(10, 'b'))).status).toBe(201);
});
