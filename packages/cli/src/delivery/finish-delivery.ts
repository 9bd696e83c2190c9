import type { ResourceClient } from '@tapline/client';
import { type Delivery, deliveryResource, installResource } from '@tapline/resources';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { printObjects } from '../output/print-objects.ts';
import { describeOutcome } from './describe-outcome.ts';
import { waitForDelivery } from './wait-for-delivery.ts';

/** Ends `deploy` and `rollback`: waits where asked, prints the outcome, answers the exit code. */
export async function finishDelivery(
  client: ResourceClient,
  delivery: Delivery,
  options: {
    readonly console: Console;
    readonly wait: boolean;
    readonly timeoutMs: number;
    readonly format: string;
  },
): Promise<number> {
  const { console, format } = options;
  const { name } = delivery.metadata;
  const done = options.wait ? await waitForDelivery(client, delivery, options) : delivery;
  if (format !== 'table' && format !== 'wide') {
    const print = { format, noHeaders: false, nowMs: console.clock.now(), withKind: false };
    console.write(await printObjects(deliveryResource, [done], print));
  } else if (options.wait) {
    const { items } = await client.list(installResource, {
      fieldSelector: `spec.delivery=${name}`,
    });
    console.write(describeOutcome(done, items));
  } else {
    console.write(`delivery.tapline.dev/${name} accepted\n`);
    console.note(`follow it with: tapline get delivery ${name} --watch\n`);
  }
  return exitCode.ok;
}
