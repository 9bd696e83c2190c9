import { connect, type Socket } from 'node:net';

/**
 * Players that ask for the next part all at once, in a process of its own and on bare sockets: five
 * hundred answers at one moment cost an HTTP client more than a cache. Words: port, playlists, players
 * on each, reloads, the first media sequence
 * number. Prints the milliseconds from each request to the end of its answer, as JSON.
 */
const [port = 0, playlists = 0, players = 0, reloads = 0, first = 0] = process.argv
  .slice(2)
  .map(Number);
const headEnd = '\r\n\r\n';

/** Whether the answer is whole, by its own framing. */
function isWhole(text: string): boolean {
  const end = text.indexOf(headEnd);
  if (end === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) return text.endsWith('0\r\n\r\n');
  return text.length >= end + headEnd.length + Number(length);
}

interface Player {
  readonly socket: Socket;
  readonly playlist: number;
  received: string;
  from: number;
  done: (ms: number) => void;
}

function openPlayer(playlist: number): Promise<Player> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const player: Player = { socket, playlist, received: '', from: 0, done: () => undefined };
    socket.setEncoding('latin1');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a connection was closed')));
    socket.on('data', (text: string) => {
      player.received += text;
      if (isWhole(player.received)) player.done(performance.now() - player.from);
    });
    socket.once('connect', () => resolve(player));
  });
}

function reload(player: Player, sequence: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = `/${player.playlist}.m3u8?_HLS_msn=${sequence}&_HLS_part=0`;
    player.received = '';
    player.done = (ms) => {
      const { received } = player;
      if (received.startsWith('HTTP/1.1 200 ') && received.includes(`#${target}\n`)) resolve(ms);
      else reject(new Error(`not what was asked for: ${received.slice(0, 300)}`));
    };
    player.from = performance.now();
    player.socket.write(`GET ${target} HTTP/1.1\r\nHost: edge\r\n\r\n`);
  });
}

const all = await Promise.all(
  Array.from({ length: playlists * players }, (_, index) => openPlayer(index % playlists)),
);
const times: number[] = [];
for (let sequence = first; sequence <= first + reloads; sequence += 1) {
  const round = await Promise.all(all.map((player) => reload(player, sequence)));
  // The first round compiles and warms.
  if (sequence > first) times.push(...round);
}
process.stdout.write(JSON.stringify(times), () => process.exit(0));
