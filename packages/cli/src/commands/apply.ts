import { isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { ApiObject } from '@tapline/resources';
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
        fieldManager: 'tapline-apply',
        force: flags.force,
      }) as const;
    const { signal } = console;
    for (const { manifest, definition } of checked.length > 1 ? checked : []) {
      const { name } = manifest.metadata;
      await client.patch(definition, name, patchOf(manifest), { dryRun: true, signal });
    }
    for (const { manifest, definition } of checked) {
      const before = await currentVersion(client, definition, manifest.metadata.name);
      const after = await client.patch(definition, manifest.metadata.name, patchOf(manifest), {
        signal,
      });
      const verb =
        before === undefined
          ? 'created'
          : before === after.metadata.resourceVersion
            ? 'unchanged'
            : 'configured';
      console.write(`${qualifiedName(definition, after)} ${verb}\n`);
    }
    return exitCode.ok;
  },
});

async function currentVersion(
  client: ResourceClient,
  definition: ReturnType<typeof kindOf>,
  name: string,
): Promise<string | undefined> {
  try {
    const object: ApiObject = await client.get(definition, name);
    return object.metadata.resourceVersion;
  } catch (error) {
    if (isTaplineError(error, 'not_found')) return undefined;
    throw error;
  }
}
