import { setTimeout as delay } from 'node:timers/promises';
import { seededRng } from '@tapline/base';
import { describe, expect, test } from 'vitest';
import { coldDelivery, formula, type Moment } from './support/cold-delivery.ts';
import { systemUnavailable } from './support/requirements.ts';
import { startSystem } from './support/start-system.ts';

const unavailable = await systemUnavailable();

const moments: readonly Moment[] = [
  'notified',
  'pulling',
  'pulled',
  'unpacked',
  'started',
  'ready',
];
/** `TAPLINE_LONG_TESTS=1 npx vitest run tests/agent-killed.test.ts`: three minutes. */
const long = process.env['TAPLINE_LONG_TESTS'] === '1';
const randomRounds = long ? 12 : 1;
const killsARound = 3;

describe.skipIf(unavailable !== undefined)(`an agent that is killed ${unavailable ?? ''}`, () => {
  test(
    'at any moment of a cold delivery ends it as if nothing had happened',
    { timeout: long ? 1_200_000 : 400_000 },
    async () => {
      const rng = seededRng(20_261_121);
      await using system = await startSystem({ devices: ['edge-1'], formulae: [formula] });
      const [device] = system.devices;
      if (device === undefined) throw new Error('the device did not start');
      const delivery = coldDelivery(system, device);
      const seen = new Set<Moment>();
      let kills = 0;
      async function killAndStart(): Promise<void> {
        await device?.kill();
        kills += 1;
        await device?.start();
      }

      // At each moment once, in one delivery; those that are over at once, again in one of their own.
      await delivery.begin();
      for (const moment of moments) {
        if (await delivery.until(moment)) seen.add(moment);
        await killAndStart();
      }
      await delivery.converges();
      await delivery.takeBack();
      for (let round = 0; round < randomRounds; round += 1) {
        await delivery.begin();
        for (let kill = 0; kill < killsARound; kill += 1) {
          await delay(rng() * 700);
          await killAndStart();
        }
        await delivery.converges();
        await delivery.takeBack();
      }
      delivery.isConsistent();
      expect(kills).toBeGreaterThanOrEqual(moments.length + randomRounds * killsARound);
      expect([...seen]).toEqual(
        expect.arrayContaining(['notified', 'pulling', 'started', 'ready']),
      );
    },
  );
});
