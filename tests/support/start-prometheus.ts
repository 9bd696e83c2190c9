import { createServer } from 'node:net';
import { join } from 'node:path';
import { startProcess, type StartedProcess } from '@tapline/testing';

/** A port that nobody listens at, now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A real Prometheus on a configuration in a folder, where it also keeps its data. */
export async function startPrometheus(
  folder: string,
  port: number,
  flags: readonly string[] = [],
): Promise<StartedProcess> {
  return await startProcess(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...flags,
    ],
    { readyUrl: `http://127.0.0.1:${port}/-/ready` },
  );
}

/** A real Alertmanager that talks to no other. */
export async function startAlertmanager(folder: string, port: number): Promise<StartedProcess> {
  return await startProcess(
    'prometheus-alertmanager',
    [
      `--config.file=${join(folder, 'alertmanager.yaml')}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { readyUrl: `http://127.0.0.1:${port}/-/ready` },
  );
}

/** The samples of an expression now, each with its labels. */
export async function query(
  port: number,
  expression: string,
): Promise<
  readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = (await (await fetch(url)).json()) as {
    readonly data: {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>;
        readonly value: readonly [number, string];
      }[];
    };
  };
  return answer.data.result.map(({ metric, value }) => ({
    labels: metric,
    value: Number(value[1]),
  }));
}
