import { formatBytes, formatDuration } from '@tapline/base';
import type { CollectionReport } from '@tapline/registry';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { adminJson } from '../registry/admin-request.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const registryGc: Command = defineCommand({
  summary: 'Remove from the registry what nothing refers to, while it serves',
  examples: [
    { command: 'tapline registry gc --dry-run', explains: 'only say what would go' },
    { command: 'tapline registry gc --untagged', explains: 'also images without a tag' },
  ],
  positionals: [],
  flags: {
    dryRun: booleanFlag('Only say what would go'),
    untagged: booleanFlag('Also manifests without a tag that nothing refers to'),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { context } = await connect(flags, console);
    const query = new URLSearchParams({
      ...(flags.dryRun && { dryRun: 'true' }),
      ...(flags.untagged && { untagged: 'true' }),
    }).toString();
    const path = `/registry/v1/gc${query === '' ? '' : `?${query}`}`;
    const report: CollectionReport = await adminJson(context, { method: 'POST', path }, console);
    console.write(flags.output === 'json' ? `${JSON.stringify(report)}\n` : describe(report));
    return exitCode.ok;
  },
});

function describe(report: CollectionReport): string {
  const { dryRun, manifests, links, blobs, bytes, uploads, held, durationMs } = report;
  const verb = dryRun ? 'would remove' : 'removed';
  const kept = held.map(
    (one) => `kept for now (${one.reason}): ${one.blobs} blobs, ${formatBytes(one.bytes)}\n`,
  );
  return [
    `${verb} ${blobs} blobs, ${formatBytes(bytes)}; ${manifests} manifests, ${links} links of repositories, ${uploads} uploads; in ${formatDuration(durationMs)}\n`,
    ...kept,
  ].join('');
}
