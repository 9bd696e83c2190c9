import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import type { Operation } from '@tapline/segments';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { openSendingKeys, type SendingKeyStore } from '../keys/sending-key-store.ts';
import { executeOperations } from './execute-operations.ts';
import { type PreparedOperations, prepareOperations } from './prepare-operations.ts';

function association(own: SendingKeyStore, peer: SendingKeyStore): Operation {
  return {
    kind: 'association-add',
    source: '192.0.2.1',
    destination: '192.0.2.2',
    spi: 0x1001,
    requestId: 0x5400_0001,
    port: 4789,
    key: {
      use: 'esp',
      from: 'n1',
      to: 'n2',
      epoch: 1,
      generation: own.current.generation,
      fromKey: own.current.publicKey,
      toKey: peer.current.publicKey,
    },
  };
}

function prepared(operations: readonly Operation[]): PreparedOperations {
  return prepareOperations(operations, { wireguardKeyFile: '' });
}

test('a key reaches the program’s input, and nothing of it what is said of a failure', async () => {
  await using folder = await temporaryFolder();
  const clock = systemClock;
  const own = await openSendingKeys(join(folder.path, 'own'), { clock });
  const peer = await openSendingKeys(join(folder.path, 'peer'), { clock });
  let given = '';
  const result = await executeOperations(prepared([association(own, peer)]), {
    keys: () => Promise.resolve(own),
    macsec: undefined,
    // As iproute2 says it of an argument that it cannot read.
    run: (words, options) => {
      expect(words).toEqual(['ip', '-batch', '-']);
      given = options?.stdin ?? '';
      const key = /0x[0-9a-f]{40}/.exec(given)?.[0] ?? '';
      const stderr = `Error: argument "${key}" is wrong: value after ALGO-KEYMAT\n`;
      return Promise.resolve({ code: 1, stdout: '', stderr });
    },
  });
  const [key = ''] = /(?<=0x)[0-9a-f]{40}/.exec(given) ?? [];
  expect(key).toHaveLength(40);
  expect(result).toMatchObject({ done: false, failed: 0 });
  const said = JSON.stringify(result);
  expect(said).toContain('<esp key 1.1 of n1 for n2>');
  expect(said).not.toContain(key.slice(0, 16));
});

test('where a key cannot be had, nothing at all is carried out', async () => {
  await using folder = await temporaryFolder();
  const clock = systemClock;
  const own = await openSendingKeys(join(folder.path, 'own'), { clock });
  const operation = association(own, own);
  await own.renew();
  let runs = 0;
  const result = await executeOperations(
    prepared([{ kind: 'link-up', name: 'tv7000' }, operation]),
    {
      keys: () => Promise.resolve(own),
      macsec: undefined,
      run: () => {
        runs += 1;
        return Promise.resolve({ code: 0, stdout: '', stderr: '' });
      },
    },
  );
  expect(result).toMatchObject({ done: false, failed: 1 });
  expect(JSON.stringify(result)).toContain('key_used');
  expect(runs).toBe(0);
});
