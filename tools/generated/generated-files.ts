import {
  alertmanagerConfiguration,
  dashboards,
  globalRules,
  rulesDocument,
  siteRules,
} from '@tapline/monitoring';
import { customResourceDefinition, taplineResources } from '@tapline/resources';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { benchmarkPage, withBenchmarkTables } from './benchmark-tables.ts';
import { cliReference } from './cli-reference.ts';
import { dashboardDocument } from './dashboard-document.ts';
import { errorReference } from './error-reference.ts';
import { protobufServices } from './protobuf-services.ts';

export interface GeneratedFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

const root = join(fileURLToPath(import.meta.url), '..', '..', '..');

/** Every file that derives from declarations; a test holds them to what is committed. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  return [
    { path: 'docs/reference/cli.md', text: await cliReference() },
    { path: 'README.md', text: withBenchmarkTables(root) },
    { path: 'docs/reference/benchmarks.md', text: benchmarkPage(root) },
    { path: 'docs/reference/errors.md', text: errorReference(root) },
    ...protobufServices(root),
    ...prometheusFiles(),
    ...dashboards.map((dashboard) => ({
      path: `deploy/grafana/${dashboard.uid}.json`,
      text: `${JSON.stringify(dashboardDocument(dashboard), undefined, 2)}\n`,
    })),
    ...taplineResources.map((kind) => ({
      path: `deploy/crds/${kind.plural}.yaml`,
      text: `# Generated from packages/resources by \`npm run generate\`.\n${stringify(customResourceDefinition(kind), { aliasDuplicateObjects: false })}`,
    })),
  ];
}

function prometheusFiles(): readonly GeneratedFile[] {
  const documents = {
    'site.rules.yaml': rulesDocument(siteRules),
    'global.rules.yaml': rulesDocument(globalRules),
    'alertmanager.yaml': alertmanagerConfiguration({ webhookUrl: undefined }),
  };
  return Object.entries(documents).map(([name, document]) => ({
    path: `deploy/prometheus/${name}`,
    text: `# Generated from packages/monitoring by \`npm run generate\`.\n${stringify(document, { lineWidth: 0 })}`,
  }));
}
