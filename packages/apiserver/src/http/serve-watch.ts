import type { ServerResponse } from 'node:http';
import { isTaplineError, TaplineError } from '@tapline/base';
import { badRequest } from '../api-error.ts';
import { statusOf } from '../status.ts';
import type { HttpHandlerInit } from './http-handler.ts';
import { count, isTrue, listQuery } from './request-options.ts';
import {
  collectionPlace,
  formOf,
  includeObjectOf,
  type ResourceRequest,
} from './serve-resource.ts';
import { WatchResponse } from './watch-response.ts';

/** Serves a watch until the client goes, its time is over, or the server stops. */
export async function serveWatch(init: HttpHandlerInit, about: ResourceRequest): Promise<number> {
  const { request, response, query, kind } = about;
  const form = formOf(about);
  if (request.httpVersion !== '1.1') throw badRequest('a watch needs HTTP/1.1');
  const { labelSelector, fieldSelector, resourceVersion } = listQuery(query);
  const bookmarks = isTrue(query.get('allowWatchBookmarks') ?? 'false');
  const sendInitialEvents = isTrue(query.get('sendInitialEvents') ?? 'false');
  if (sendInitialEvents && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents needs resourceVersionMatch=NotOlderThan');
  }
  const wantedMs = count('timeoutSeconds', query.get('timeoutSeconds') || '0') * 1000;
  const over = new AbortController();
  const done = (): void => over.abort(new TaplineError('stopped', 'the watch ended'));
  const sink = new WatchResponse({
    response,
    kind,
    form,
    includeObject: includeObjectOf(about),
    now: () => init.clock.now(),
    maxBufferedBytes: init.limits.maxBufferedWatchBytes,
    onSlow: () => init.metrics.watchEnded(),
    onEnd: () => {
      done();
      void cutOff(init, response);
    },
  });
  response.once('close', done);
  try {
    await init.service.watch(collectionPlace(about), {
      labelSelector,
      fieldSelector,
      resourceVersion,
      bookmarks,
      sendInitialEvents,
      sink,
      signal: over.signal,
    });
  } catch (error) {
    if (!over.signal.aborted) done();
    if (!response.headersSent) throw error;
    // Part of the state is out already: what happened has to come as an event.
    sink.end(isTaplineError(error) ? error : internal(error));
    return statusOf(error).code;
  }
  sink.start();
  sink.goLive();
  // Whoever began it may have lost the right to since; it is asked again when it ends.
  const longestMs = init.limits.watchTimeoutMs * (1 + init.rng());
  const timeoutMs = wantedMs === 0 ? longestMs : Math.min(wantedMs, longestMs);
  init.clock
    .sleep(timeoutMs, { signal: over.signal })
    .then(() => sink.end())
    .catch(() => undefined);
  return 200;
}

const lingerMs = 30_000;

/** A client that does not read does not take the end of its watch either. */
async function cutOff({ clock }: HttpHandlerInit, response: ServerResponse): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  if (response.closed) return;
  await clock.sleep(lingerMs, { signal: closed.signal }).then(
    () => response.destroy(),
    () => undefined,
  );
}

function internal(cause: unknown): TaplineError {
  return new TaplineError('internal', 'internal error', { cause });
}
