import { text } from 'node:stream/consumers';
import type { NeighbourOperation } from '../helper/neighbour-messages.ts';
import { NeighbourSocket } from '../helper/neighbour-socket.ts';

/** Of tests: adds entries in its network namespace, as a list on standard input says. */
using socket = NeighbourSocket.open();
const operations = JSON.parse(await text(process.stdin)) as NeighbourOperation[];
process.stdout.write(JSON.stringify((await socket?.add(operations)) ?? 'no socket'));
