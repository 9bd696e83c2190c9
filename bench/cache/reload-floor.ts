import { createServer, type Socket } from 'node:net';

/**
 * The least that a Node program can do for players who wait: it reads no head, keeps nothing, and
 * writes the same bytes to all who wait for a target once the hold is over. What the edge takes longer
 * is its own; the rest is of the client, the system and Node. Words: the hold in milliseconds.
 */
const holdMs = Number(process.argv[2]);
const waiting = new Map<string, Socket[]>();
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const target = chunk.toString('latin1', 4, chunk.indexOf(' HTTP'));
    const others = waiting.get(target);
    if (others !== undefined) {
      others.push(socket);
      return;
    }
    waiting.set(target, [socket]);
    setTimeout(() => {
      const body = `#EXTM3U\n#${target}\n`;
      const answer = Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      for (const one of waiting.get(target) ?? []) one.write(answer);
      waiting.delete(target);
    }, holdMs);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`listening ${port}\n`);
});
