import { parentPort } from 'node:worker_threads';
import { toErrorData } from '@tapline/base';
import { SqliteJournal } from './sqlite-journal.ts';
import { fromTuple, type Reply, type Request, toTuple } from './worker-protocol.ts';

/** The thread of a {@link WorkerJournal}: commits wait for the disk here, off the event loop. */
const port = parentPort;
if (port === null) throw new Error('journal-thread.ts runs as a worker thread');
let journal: SqliteJournal | undefined;

port.on('message', (request: Request) => {
  let reply: Reply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { kind: 'error', error: toErrorData(error, 'store_io') };
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
});

function answer(request: Request): Reply {
  if (request.kind === 'open') {
    const { path, maxBytes } = request;
    journal = new SqliteJournal(path, maxBytes === undefined ? {} : { maxBytes });
    return { kind: 'opened', compactedRevision: journal.compactedRevision() };
  }
  if (request.kind === 'close') {
    journal?.[Symbol.dispose]();
    return { kind: 'done' };
  }
  if (journal === undefined) throw new Error(`${request.kind} before open`);
  switch (request.kind) {
    case 'read':
      return { kind: 'records', records: journal.recordsAfter(request.after).map(toTuple) };
    case 'append':
      journal.append(request.records.map(fromTuple));
      return { kind: 'done' };
    case 'compact':
      journal.compact(request.revision, request.dead);
      return { kind: 'done' };
  }
}
