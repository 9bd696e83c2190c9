import { text } from 'node:stream/consumers';
import { ElementSocket } from '../helper/element-socket.ts';

/** Of tests: changes elements in its network namespace, as a list of lists on standard input says. */
using socket = ElementSocket.open();
const given = JSON.parse(await text(process.stdin)) as Parameters<ElementSocket['change']>[0][];
const results = given.map((operations) => socket?.change(operations) ?? 'for nft');
process.stdout.write(JSON.stringify(results));
