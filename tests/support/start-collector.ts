import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess, temporaryFolder } from '@tapline/testing';
import { freePort } from './start-prometheus.ts';

/** A span as a collector of OpenTelemetry has taken it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  spans(): readonly CollectedSpan[];
}

/**
 * Who takes traces: with TAPLINE_TEST_COLLECTOR=1 a real OpenTelemetry collector, which Go builds once
 * in two minutes; otherwise a server that reads the same JSON.
 */
export async function startCollector(): Promise<Collector> {
  return process.env['TAPLINE_TEST_COLLECTOR'] === '1'
    ? await startRealCollector()
    : await startReader();
}

interface OtlpValue {
  readonly stringValue?: string;
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: OtlpValue }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'service'> & { parentSpanId?: string })[];
    }[];
  }[];
}

async function startReader(): Promise<Collector> {
  const found: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString()) as OtlpRequest;
      for (const { resource, scopeSpans } of body.resourceSpans) {
        const named = resource.attributes.find(({ key }) => key === 'service.name');
        const service = named?.value.stringValue ?? '';
        for (const { traceId, spanId, parentSpanId = '', name } of scopeSpans.flatMap(
          ({ spans }) => spans,
        )) {
          found.push({ traceId, spanId, parentSpanId, name, service });
        }
      }
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => found,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function startRealCollector(): Promise<Collector> {
  const program = await buildCollector();
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const port = await freePort();
  const path = join(folder.path, 'collector.yaml');
  await writeFile(
    path,
    `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
`,
  );
  const running = opened.use(
    await startProcess(program, ['--config', path], { readyLine: /Everything is ready/ }),
  );
  const owned = opened.move();
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => printedSpans(running.output()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What the collector's debug exporter prints of spans. */
function printedSpans(text: string): readonly CollectedSpan[] {
  return text.split(/ResourceSpans #/).flatMap((resource) => {
    const service = /service\.name: Str\(([^)]*)\)/.exec(resource)?.[1] ?? '';
    return resource
      .split(/^Span #/m)
      .slice(1)
      .map((span) => {
        const field = (name: string): string =>
          new RegExp(String.raw`^ +${name} +: (\S.*)$`, 'm').exec(span)?.[1]?.trim() ?? '';
        return {
          traceId: field('Trace ID'),
          spanId: field('ID'),
          parentSpanId: field('Parent ID'),
          name: field('Name'),
          service,
        };
      });
  });
}

const collectorVersion = 'v0.165.0';
const modules = ['otelcol', 'receiver/otlpreceiver', 'exporter/debugexporter'];

const collectorMain = `package main

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func components() (otelcol.Factories, error) {
	receivers, err := otelcol.MakeFactoryMap(otlpreceiver.NewFactory())
	if err != nil {
		return otelcol.Factories{}, err
	}
	exporters, err := otelcol.MakeFactoryMap(debugexporter.NewFactory())
	telemetry := otelconftelemetry.NewFactory()
	return otelcol.Factories{Receivers: receivers, Exporters: exporters, Telemetry: telemetry}, err
}

func main() {
	resolver := confmap.ResolverSettings{
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
		DefaultScheme:     "file",
	}
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo:              component.NewDefaultBuildInfo(),
		Factories:              components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: resolver},
	})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}
`;

/** The collector's own modules with a receiver and an exporter; kept beside other things that are built. */
async function buildCollector(): Promise<string> {
  const run = promisify(execFile);
  const folder = join(
    import.meta.dirname,
    '../../node_modules/.cache',
    `otelcol-${collectorVersion}`,
  );
  const program = join(folder, 'otelcol');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  await writeFile(join(folder, 'main.go'), collectorMain);
  await writeFile(join(folder, 'go.mod'), 'module collector\n\ngo 1.25\n');
  const options = { cwd: folder, env: { ...process.env, GOFLAGS: '-mod=mod' } };
  const wanted = modules.map((name) => `go.opentelemetry.io/collector/${name}@${collectorVersion}`);
  await run('go', ['get', ...wanted], options);
  await run('go', ['mod', 'tidy'], options);
  await run('go', ['build', '-o', program, '.'], options);
  return program;
}
