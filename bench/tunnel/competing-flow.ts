import { startProcess } from '@tapline/testing';
import { type Ends, within } from './run-ends.ts';

const port = 7500;

/** A TCP connection of the kernel's own congestion control that takes what the path gives it. */
export async function competingFlow(ends: Ends): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const send = `
    const block = Buffer.alloc(65536);
    require('node:net').createServer((socket) => {
      socket.on('error', () => socket.destroy());
      const more = () => { while (socket.write(block)); };
      socket.on('drain', more);
      more();
    }).listen(${port}, '${ends.serverAddress}', () => console.log('ready'));`;
  const receive = `
    require('node:net').connect(${port}, '${ends.serverAddress}', () => console.log('ready')).resume();`;
  for (const [place, script] of [
    [ends.server, send],
    [ends.client, receive],
  ] as const) {
    const [program = '', ...words] = within(place, [process.execPath, '-e', script]);
    opened.use(await startProcess(program, words, { readyLine: /ready/ }));
  }
  const owned = opened.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
