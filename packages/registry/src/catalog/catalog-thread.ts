import type { DatabaseSync } from 'node:sqlite';
import { parentPort } from 'node:worker_threads';
import type { CatalogReply, CatalogRequest } from './catalog-protocol.ts';
import { toCatalogError } from './catalog-protocol.ts';
import { CatalogWriter } from './catalog-writer.ts';
import { openCatalogFile } from './open-catalog-file.ts';

/** The thread of a catalog: commits wait for the disk here, off the event loop. */
const port = parentPort;
if (port === null) throw new Error('catalog-thread.ts runs as a worker thread');
let database: DatabaseSync | undefined;
let writer: CatalogWriter | undefined;

port.on('message', (request: CatalogRequest) => {
  let reply: CatalogReply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { kind: 'failed', error: toCatalogError(error) };
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
});

function answer(request: CatalogRequest): CatalogReply {
  switch (request.kind) {
    case 'open':
      database = openCatalogFile(request.directory);
      writer = new CatalogWriter(database, request.quotas);
      return { kind: 'done' };
    case 'close':
      database?.close();
      return { kind: 'done' };
    case 'write': {
      if (writer === undefined) throw new Error('write before open');
      const outcomes = writer
        .apply(request.writes)
        .map((outcome) =>
          outcome.kind === 'done' ? outcome.changes : toCatalogError(outcome.error),
        );
      return { kind: 'written', outcomes };
    }
  }
}
