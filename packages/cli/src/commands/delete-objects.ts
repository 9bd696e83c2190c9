import { isTaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { parseObjectReferences } from '../kinds.ts';
import { qualifiedName } from '../output/print-objects.ts';

export const deleteObjects: Command = defineCommand({
  summary: 'Delete objects; a delivery takes its installs off the devices',
  examples: [
    {
      command: 'tapline delete delivery jq',
      explains: 'devices remove jq, offline ones when they return',
    },
    { command: 'tapline delete device/ipad-1 token/t-x7', explains: 'of several kinds' },
  ],
  positionals: [
    { name: 'KIND', description: 'a kind, or KIND/NAME', required: true, complete: 'kinds' },
    {
      name: 'NAME',
      description: 'objects of that kind',
      required: false,
      variadic: true,
      complete: 'objects',
    },
  ],
  flags: {
    ignoreNotFound: booleanFlag('Do not fail for what does not exist'),
    ...connectionFlags,
  },
  async run({ console, positionals, flags }) {
    const { client } = await connect(flags, console);
    const references = parseObjectReferences(positionals);
    if (references.length === 0) {
      console.note('tapline: nothing to delete; name the objects [usage]\n');
      return exitCode.usage;
    }
    for (const { definition, name } of references) {
      try {
        await client.delete(definition, name, { signal: console.signal });
      } catch (error) {
        if (flags.ignoreNotFound && isTaplineError(error, 'not_found')) continue;
        throw error;
      }
      const object = { apiVersion: '', kind: '', metadata: { name }, spec: {} };
      console.write(`${qualifiedName(definition, object)} deleted\n`);
    }
    return exitCode.ok;
  },
});
