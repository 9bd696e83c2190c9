import { isTaplineError, systemRng, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { ApiObject } from '@tapline/resources';
import { traceParentAnnotation } from '@tapline/telemetry';
import { type CommandTrace, inTrace } from '../delivery/command-trace.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, listFlag } from '../framework/flag.ts';
import { kindOf } from '../kinds.ts';
import { readManifests } from '../connection/read-manifests.ts';
import { qualifiedName } from '../output/print-objects.ts';

export const apply: Command = defineCommand({
  summary: 'Create or change objects as files say',
  description:
    'Server-side apply: fields that the files no longer name are removed, fields that others own are left alone unless --force.',
  examples: [
    { command: 'tapline apply -f jq.yaml', explains: 'from a file' },
    {
      command: 'tapline apply -f deliveries/',
      explains: 'from every .yaml, .yml and .json of a folder',
    },
    { command: 'cat jq.yaml | tapline apply -f -', explains: 'from standard input' },
  ],
  positionals: [],
  flags: {
    file: listFlag('Files, folders, or - for standard input', { short: 'f', valueName: 'FILE' }),
    force: booleanFlag('Take over fields that another manager owns'),
    ...connectionFlags,
  },
  async run({ console, flags }) {
    if (flags.file.length === 0) {
      throw new TaplineError('usage', 'no file is named', {
        hint: 'use -f FILE, -f FOLDER or -f -',
      });
    }
    const manifests = await readManifests(flags.file, console.stdin);
    // All are looked at before any is applied: a typo in the last leaves nothing half-applied.
    const checked = manifests.map((manifest) => ({
      manifest,
      definition: kindOf(manifest.apiVersion, manifest.kind),
    }));
    const { client } = await connect(flags, console);
    const patchOf = (manifest: ApiObject) =>
      ({
        kind: 'apply',
        body: manifest,
        fieldManager: applyManager,
        force: flags.force,
      }) as const;
    const { signal } = console;
    for (const { manifest, definition } of checked.length > 1 ? checked : []) {
      const { name } = manifest.metadata;
      await client.patch(definition, name, patchOf(manifest), { dryRun: true, signal });
    }
    return await inTrace('tapline apply', { console, rng: systemRng }, async (trace) => {
      for (const { manifest, definition } of checked) {
        const { name } = manifest.metadata;
        const before = await currentOf(client, definition, name);
        const wanted = await traced(manifest, {
          before,
          trace,
          wouldBe: async () =>
            await client.patch(definition, name, patchOf(manifest), { dryRun: true, signal }),
        });
        const after = await trace.measure(`${manifest.kind} ${name}`, () =>
          client.patch(definition, name, patchOf(wanted), { signal }),
        );
        const verb =
          before === undefined
            ? 'created'
            : before.metadata.resourceVersion === after.metadata.resourceVersion
              ? 'unchanged'
              : 'configured';
        console.write(`${qualifiedName(definition, after)} ${verb}\n`);
      }
      return exitCode.ok;
    });
  },
});

const applyManager = 'tapline-apply';
/** What goes on as a trace in the control plane, and on devices. */
const tracedKinds = new Set(['Channel', 'Delivery', 'Workload']);

/**
 * The manifest with the trace that it is part of, where that is sent anywhere and it changes what is
 * wanted; else with the one that it has, as an apply takes away what it does not name.
 */
async function traced(
  manifest: ApiObject,
  about: {
    readonly before: ApiObject | undefined;
    readonly trace: CommandTrace;
    readonly wouldBe: () => Promise<ApiObject>;
  },
): Promise<ApiObject> {
  const { before, trace } = about;
  if (!tracedKinds.has(manifest.kind)) return manifest;
  const { annotations } = manifest.metadata;
  const known = annotations?.[traceParentAnnotation];
  if (known !== undefined) return manifest;
  const had = before?.metadata.annotations?.[traceParentAnnotation];
  const isNew = async (): Promise<boolean> =>
    (await about.wouldBe()).metadata.generation !== before?.metadata.generation;
  const own = trace.isSent && !isOfOthers(before) && (before === undefined || (await isNew()));
  const parent = own ? trace.traceParent : had;
  if (parent === undefined) return manifest;
  const metadata = {
    ...manifest.metadata,
    annotations: { ...annotations, [traceParentAnnotation]: parent },
  };
  return { ...manifest, metadata };
}

/** Whether another manager has put the trace there: to take it over takes --force, which is not for this. */
function isOfOthers(object: ApiObject | undefined): boolean {
  return (object?.metadata.managedFields ?? []).some(
    (entry) =>
      entry.manager !== applyManager &&
      JSON.stringify(entry.fieldsV1).includes(`f:${traceParentAnnotation}`),
  );
}

async function currentOf(
  client: ResourceClient,
  definition: ReturnType<typeof kindOf>,
  name: string,
): Promise<ApiObject | undefined> {
  try {
    return await client.get(definition, name);
  } catch (error) {
    if (isTaplineError(error, 'not_found')) return undefined;
    throw error;
  }
}
