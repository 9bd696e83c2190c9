import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MetricsFormat, metricsFormat, metricsTypes } from '@tapline/telemetry';
import type { PrometheusMetrics } from './prometheus-metrics.ts';

export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves /metrics, /healthz and /readyz on the loopback interface; port 0 takes a free one. */
export async function startMetricsServer(init: {
  readonly port: number;
  readonly metrics: Pick<PrometheusMetrics, 'exposition'>;
  readonly isReady: () => boolean;
}): Promise<MetricsServer> {
  const { metrics, isReady } = init;
  async function answer(
    { path, format }: { readonly path: string; readonly format: MetricsFormat },
    response: ServerResponse,
  ): Promise<void> {
    switch (path) {
      case '/metrics':
        response.setHeader('content-type', metricsTypes[format]);
        response.end(await metrics.exposition(format));
        return;
      case '/healthz':
        response.end('ok\n');
        return;
      case '/readyz':
        response.statusCode = isReady() ? 200 : 503;
        response.end(isReady() ? 'ok\n' : 'installs not listed yet\n');
        return;
      default:
        response.statusCode = 404;
        response.end('serves /metrics, /healthz and /readyz\n');
    }
  }
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*$/, '');
    answer({ path, format: metricsFormat(request.headers.accept) }, response).catch(
      (error: unknown) =>
        response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  server.listen(init.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
