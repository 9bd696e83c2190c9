import { formatAge } from '@tapline/base';
import { type ApiObject, type Condition } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { parseObjectReferences } from '../kinds.ts';
import { formatTable } from '../output/format-table.ts';
import { listEvents, type RecordedEvent } from '../connection/list-events.ts';

export const describe: Command = defineCommand({
  summary: 'Show all there is to know of objects, with their conditions and events',
  examples: [
    { command: 'tapline describe delivery jq', explains: 'one object' },
    { command: 'tapline describe device/ipad-1 install/ipad-1.jq', explains: 'of several kinds' },
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
  flags: connectionFlags,
  async run({ console, positionals, flags }) {
    const { client, context } = await connect(flags, console);
    for (const { definition, name } of parseObjectReferences(positionals)) {
      const object = await client.get(definition, name, { signal: console.signal });
      const events = await listEvents(context, object, console.signal);
      console.write(await describeObject(object, { events, nowMs: console.clock.now() }));
    }
    return exitCode.ok;
  },
});

/** An object as headed YAML, its conditions and events as tables. */
export async function describeObject(
  object: ApiObject,
  context: { readonly events: readonly RecordedEvent[]; readonly nowMs: number },
): Promise<string> {
  const { stringify } = await import('yaml');
  const { conditions, ...status } = (object.status ?? {}) as {
    readonly conditions?: readonly Condition[];
  };
  const { name, labels, annotations, creationTimestamp = '', uid, generation } = object.metadata;
  const head = {
    Name: name,
    Kind: object.kind,
    Labels: labels ?? {},
    ...(annotations === undefined ? {} : { Annotations: annotations }),
    Created: `${creationTimestamp} (${formatAge(creationTimestamp, context.nowMs)} ago)`,
    UID: uid,
    Generation: generation,
    Spec: object.spec,
    ...(Object.keys(status).length === 0 ? {} : { Status: status }),
  };
  const sections = [
    stringify(head, { aliasDuplicateObjects: false }),
    conditions === undefined || conditions.length === 0
      ? ''
      : `Conditions:\n${indent(
          formatTable(
            ['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'],
            conditions.map((one) => [
              one.type,
              one.status,
              one.reason,
              formatAge(one.lastTransitionTime, context.nowMs),
              one.message,
            ]),
          ),
        )}`,
    context.events.length === 0
      ? 'Events: none\n'
      : `Events:\n${indent(
          formatTable(
            ['TYPE', 'REASON', 'AGE', 'MESSAGE'],
            context.events.map((one) => [
              one.type,
              one.reason,
              `${formatAge(one.lastTimestamp, context.nowMs)}${one.count > 1 ? ` (x${one.count})` : ''}`,
              one.message,
            ]),
          ),
        )}`,
  ];
  return `${sections.filter((text) => text !== '').join('\n')}\n`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
