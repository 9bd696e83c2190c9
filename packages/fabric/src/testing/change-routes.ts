import { text } from 'node:stream/consumers';
import { type RouteOperation, RouteSocket } from '../helper/route-socket.ts';

/** Of tests: changes what is in its network namespace, as a list on standard input says. */
using socket = RouteSocket.open();
const operations = JSON.parse(await text(process.stdin)) as RouteOperation[];
process.stdout.write(JSON.stringify((await socket?.change(operations)) ?? 'no socket'));
