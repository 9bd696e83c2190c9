import { TaplineError } from '@tapline/base';
import { deliveryResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { waitFlags } from '../delivery/delivery-flags.ts';
import { finishDelivery } from '../delivery/finish-delivery.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { integerFlag } from '../framework/flag.ts';
import { outputFlags } from '../output/output-flags.ts';

export const rollback: Command = defineCommand({
  summary: 'Go back to an earlier version of a delivery',
  examples: [
    {
      command: 'tapline rollback jq --wait',
      explains: 'to the newest version that was complete before this one',
    },
    { command: 'tapline rollback jq --to-revision 3', explains: 'to what revision 3 delivered' },
  ],
  positionals: [
    { name: 'DELIVERY', description: 'the delivery', required: true, complete: 'deliveries' },
  ],
  flags: {
    toRevision: integerFlag('Which revision; 0 is the last complete one with another version', {
      min: 0,
      max: 2 ** 31,
      default: 0,
    }),
    ...waitFlags,
    output: outputFlags.output,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const current = await client.get(deliveryResource, name, { signal: console.signal });
    const history = current.status?.history ?? [];
    const target =
      flags.toRevision === 0
        ? history.find(
            (past) => past.outcome === 'Complete' && past.version !== current.status?.version,
          )
        : history.find((past) => past.revision === flags.toRevision);
    if (target === undefined) {
      const known = history.map((past) => `${past.revision} (${past.version}, ${past.outcome})`);
      throw new TaplineError(
        'no_such_revision',
        `delivery ${name} has no such revision to go back to`,
        {
          hint:
            known.length === 0 ? 'it has no history yet' : `its revisions are ${known.join(', ')}`,
        },
      );
    }
    const spec = {
      ...current.spec,
      package: { ...current.spec.package, version: target.version },
      rollout: current.spec.rollout + 1,
    };
    const changed = await client.update(
      deliveryResource,
      { ...current, spec },
      { signal: console.signal },
    );
    return await finishDelivery(client, changed, {
      console,
      wait: flags.wait,
      timeoutMs: flags.timeout,
      format: flags.output,
    });
  },
});
