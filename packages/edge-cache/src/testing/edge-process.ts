import { createServer } from 'node:http';
import { connect } from 'node:net';
import { channelSettings, startEdgeCache } from '../index.ts';

/**
 * An edge in a process of its own, to be killed: `edge-process.ts FOLDER ORIGIN`. Its own paths are
 * `/purge` with the field `x-tag`, `/objects` and `/disk-failures`; all else is of the edge.
 */
const [directory = '', origin = ''] = process.argv.slice(2);
const edge = await startEdgeCache({
  channels: [channelSettings({ name: 'c', origins: [origin] })],
  memoryBytes: 256 * 1024,
  disk: { directory, capacityBytes: 64 * 1024 * 1024 },
});
const edgePort = Number(new URL(edge.url).port);
const server = createServer((request, response) => {
  void (async () => {
    if (request.url === '/purge') {
      await edge.purge(
        { kind: 'tag', channel: 'c', tag: String(request.headers['x-tag']) },
        'hard',
      );
      response.end();
    } else if (request.url === '/objects') response.end(String((await edge.stats()).objects));
    else if (request.url === '/disk-failures') response.end(String(edge.counters.diskFailures));
    else {
      const answer = await fetch(`${edge.url}${request.url}`);
      response.writeHead(answer.status);
      response.end(Buffer.from(await answer.arrayBuffer()));
    }
  })();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  // Once the edge accepts, both do.
  const probe = connect(edgePort, '127.0.0.1', () => {
    probe.destroy();
    process.stdout.write(`listening ${port}\n`);
  });
});
process.once('SIGTERM', () => {
  void edge[Symbol.asyncDispose]().then(() => process.exit(0));
});
