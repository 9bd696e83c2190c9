import { channelSettings, startEdgeCache } from '@tapline/edge-cache';

/**
 * The edge in a process of its own, for benchmarks: prints `listening <port> <TLS port> <ms to start>`.
 * Words: origin, bytes of memory, folder of the disk or `-`, folder of a certificate or `-`.
 */
const [origin = '', memoryBytes = '0', disk = '-', certificate = '-'] = process.argv.slice(2);
const from = performance.now();
const edge = await startEdgeCache({
  channels: [channelSettings({ name: 'bench', origins: [origin] })],
  memoryBytes: Number(memoryBytes),
  ...(disk !== '-' && { disk: { directory: disk, capacityBytes: 4 * 2 ** 40 } }),
  ...(certificate !== '-' && {
    tls: {
      host: '127.0.0.1',
      port: 0,
      certificateFile: `${certificate}/cert.pem`,
      keyFile: `${certificate}/key.pem`,
    },
  }),
});
const port = new URL(edge.url).port;
const tlsPort = edge.tlsUrl === undefined ? '0' : new URL(edge.tlsUrl).port;
process.stdout.write(`listening ${port} ${tlsPort} ${Math.round(performance.now() - from)}\n`);
process.once('SIGTERM', () => {
  void edge[Symbol.asyncDispose]().then(() => process.exit(0));
});
