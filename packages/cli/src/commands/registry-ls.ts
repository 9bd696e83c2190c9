import { formatBytes } from '@tapline/base';
import type { RepositoryPage, RepositorySummary } from '@tapline/registry';
import { connect } from '../connection/connect.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { formatTable } from '../output/format-table.ts';
import { adminJson } from '../registry/admin-request.ts';
import { openRegistry } from '../registry/open-registry.ts';
import { registryFlags } from '../registry/registry-flags.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const registryLs: Command = defineCommand({
  summary: "List the repositories of a registry; the control plane's unless one is named",
  description: 'Other registries list their names only, and not all of them do.',
  examples: [
    { command: 'tapline registry ls', explains: 'what the control plane has' },
    { command: 'tapline registry ls 127.0.0.1:5000 -o json', explains: 'of another, for programs' },
  ],
  positionals: [{ name: 'HOST', description: 'another registry', required: false }],
  flags: { output: textOrJsonFlag, ...registryFlags },
  async run({ console, positionals: [host], flags }) {
    if (host !== undefined) {
      await using client = await openRegistry(host, flags, console);
      const repositories = await client.repositories({ signal: console.signal });
      console.write(
        flags.output === 'json'
          ? `${JSON.stringify(repositories.map((name) => ({ name })))}\n`
          : repositories.map((name) => `${name}\n`).join(''),
      );
      return exitCode.ok;
    }
    const { context } = await connect(flags, console);
    const repositories: RepositorySummary[] = [];
    let last: string | undefined = '';
    while (last !== undefined) {
      const query = new URLSearchParams({ n: '1000', ...(last !== '' && { last }) }).toString();
      const path = `/registry/v1/repositories?${query}`;
      const page: RepositoryPage = await adminJson(context, { method: 'GET', path }, console);
      repositories.push(...page.repositories);
      last = page.next;
    }
    const rows = repositories.map(({ name, tags, manifests, bytes }) => [
      name,
      String(tags),
      String(manifests),
      formatBytes(bytes),
    ]);
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(repositories)}\n`
        : formatTable(['REPOSITORY', 'TAGS', 'MANIFESTS', 'SIZE'], rows),
    );
    return exitCode.ok;
  },
});
