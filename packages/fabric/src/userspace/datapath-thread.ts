import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorMessage, isTaplineError } from '@tapline/base';
import { DatapathLoop } from './datapath-loop.ts';
import type { DatapathReply, DatapathRequest } from './datapath-messages.ts';
import { linux, openLibc, systemCallError } from './libc.ts';

/**
 * The thread of a {@link UserSpaceDatapath}. It waits in poll(2), not in the event loop, so its owner
 * wakes it through an eventfd and it takes its messages then.
 */
const port = parentPort;
if (port === null) throw new Error('datapath-thread.ts runs as a worker thread');
const { node } = workerData;
const libc = openLibc();
const wakeFd = libc.eventfd(0, linux.nonBlocking | linux.closeOnExec);
if (wakeFd < 0) throw systemCallError(libc, 'eventfd');
const loop = new DatapathLoop(libc, { node: String(node), wakeFd });
const reply = (message: DatapathReply): void => port.postMessage(message);
reply({ kind: 'started', wakeFd });

/** Nobody sends without waking; this only bounds what a lost wake costs. */
const longestWaitMs = 1000;
const drained = new Uint8Array(8);
let running = true;
while (running) {
  loop.step(longestWaitMs);
  libc.read(wakeFd, drained, 8);
  for (
    let item = receiveMessageOnPort(port);
    item !== undefined;
    item = receiveMessageOnPort(port)
  ) {
    running = answer(item.message);
  }
}
libc.close(wakeFd);
port.close();

function answer(request: DatapathRequest): boolean {
  const { kind, id } = request;
  try {
    switch (kind) {
      case 'apply':
        reply({ kind: 'applied', id, outcome: loop.apply(request.intent) });
        return true;
      case 'counters':
        reply({ kind: 'counters', id, counters: loop.counters() });
        return true;
      case 'tables':
        reply({ kind: 'tables', id, carriers: loop.tables() });
        return true;
      case 'stop':
        loop.dispose();
        reply({ kind: 'stopped', id });
        return false;
    }
  } catch (error) {
    const code = isTaplineError(error) ? error.code : 'internal';
    reply({ kind: 'failed', id, code, message: errorMessage(error) });
    return true;
  }
}
