import type { ResourceClient } from '@tapline/client';
import type { ApiObject, ResourceDefinition } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, textFlag } from '../framework/flag.ts';
import { kindsNamed, parseObjectReferences } from '../kinds.ts';
import { outputFlags } from '../output/output-flags.ts';
import { printObjects, type PrintOptions } from '../output/print-objects.ts';

export const get: Command = defineCommand({
  summary:
    'Show objects: devices, packages, deliveries, installs, segments, nodes, channels, workloads, tokens',
  examples: [
    { command: 'tapline get devices', explains: 'all devices' },
    { command: 'tapline get deliveries,installs -o wide', explains: 'two kinds, all columns' },
    {
      command: 'tapline get installs -l tapline.dev/delivery=jq --watch',
      explains: 'and follow them',
    },
    { command: 'tapline get segments', explains: 'VNI, subnet, nodes, MTU and state of each' },
    { command: 'tapline get delivery jq -o yaml', explains: 'one object, whole' },
  ],
  positionals: [
    {
      name: 'KIND',
      description: 'a kind, several with commas, or all',
      required: true,
      complete: 'kinds',
    },
    {
      name: 'NAME',
      description: 'objects of that kind',
      required: false,
      variadic: true,
      complete: 'objects',
    },
  ],
  flags: {
    selector: textFlag('Only objects with these labels', { short: 'l', valueName: 'SELECTOR' }),
    fieldSelector: textFlag('Only objects with these fields', { valueName: 'SELECTOR' }),
    watch: booleanFlag('Follow changes until Ctrl-C', { short: 'w' }),
    ...outputFlags,
    ...connectionFlags,
  },
  async run({ console, positionals, flags }) {
    const { client } = await connect(flags, console);
    const named = positionals.length > 1 || positionals[0]?.includes('/') === true;
    const selectors = {
      ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
      ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
      signal: console.signal,
    };
    const found: { definition: ResourceDefinition; objects: ApiObject[]; revision?: string }[] = [];
    if (named) {
      for (const { definition, name } of parseObjectReferences(positionals)) {
        const object = await client.get(definition, name, { signal: console.signal });
        const same = found.find((one) => one.definition === definition);
        if (same === undefined) found.push({ definition, objects: [object] });
        else same.objects.push(object);
      }
    } else {
      for (const definition of kindsNamed(positionals[0] ?? '')) {
        const list = await client.list(definition, selectors);
        found.push({ definition, objects: [...list.items], revision: list.resourceVersion });
      }
    }
    const print: PrintOptions = {
      format: flags.output,
      noHeaders: flags.noHeaders,
      nowMs: console.clock.now(),
      withKind: found.length > 1,
    };
    await printFound(found, print, console);
    if (flags.watch) await follow(client, found, { print, named, selectors }, console);
    return exitCode.ok;
  },
});

type Found = readonly { definition: ResourceDefinition; objects: ApiObject[]; revision?: string }[];

async function printFound(found: Found, print: PrintOptions, console: Console): Promise<void> {
  const [first] = found;
  if (first !== undefined && (print.format === 'json' || print.format === 'yaml')) {
    const objects = found.flatMap((one) => one.objects);
    console.write(await printObjects(first.definition, objects, print));
    return;
  }
  const filled = found.filter((one) => one.objects.length > 0);
  if (filled.length === 0) {
    console.note(`no ${found.map((one) => one.definition.plural).join(', ')}\n`);
    return;
  }
  const tables = await Promise.all(
    filled.map(async ({ definition, objects }) => await printObjects(definition, objects, print)),
  );
  console.write(tables.join(print.format === 'name' ? '' : '\n'));
}

async function follow(
  client: ResourceClient,
  found: Found,
  options: {
    readonly print: PrintOptions;
    readonly named: boolean;
    readonly selectors: { readonly labelSelector?: string; readonly fieldSelector?: string };
  },
  console: Console,
): Promise<void> {
  const { signal } = console;
  await Promise.all(
    found.map(async ({ definition, objects, revision }) => {
      const names = new Set(objects.map((object) => object.metadata.name));
      const after =
        revision ??
        String(Math.max(...objects.map((object) => Number(object.metadata.resourceVersion))));
      const events = client.watch(definition, {
        ...options.selectors,
        resourceVersion: after,
        signal,
      });
      try {
        for await (const event of events) {
          if (event.kind === 'bookmark') continue;
          if (options.named && !names.has(event.object.metadata.name)) continue;
          const print = { ...options.print, noHeaders: true, nowMs: console.clock.now() };
          const text = await printObjects(definition, [event.object], print);
          console.write(event.kind === 'deleted' ? text.replace(/\n$/, '   deleted\n') : text);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }),
  );
}
