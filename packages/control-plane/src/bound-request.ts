import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@tapline/base';

/** How long a request's body may take. */
export type BodyLimit =
  /** From its head to its end. */
  | { readonly kind: 'whole'; readonly ms: number }
  /** As long as it takes, while no silence lasts longer. */
  | { readonly kind: 'silence'; readonly ms: number };

/**
 * Ends a request whose body does not come. Node's own `requestTimeout` is one for all of a server,
 * and a layer takes longer to push than anything else may.
 */
export function boundRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { limit, clock }: { readonly limit: BodyLimit; readonly clock: Clock },
): void {
  if (limit.kind === 'silence') {
    // Without a listener Node cuts the connection, and takes the bound off with the next request.
    request.setTimeout(limit.ms);
    // What was refused before it came is nobody's work any more, however steadily it trickles.
    response.once('finish', () => {
      if (!request.complete) cutOff();
    });
    return;
  }
  const { headers } = request;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
    return;
  }
  cutOff();

  function cutOff(): void {
    const complete = new AbortController();
    const onComplete = (): void => complete.abort('the body is complete');
    request.once('end', onComplete);
    request.once('close', onComplete);
    void waitFor(complete.signal);
  }

  async function waitFor(complete: AbortSignal): Promise<void> {
    try {
      await clock.sleep(limit.ms, { signal: complete });
    } catch {
      // The body is here, or nobody waits for it any more.
      return;
    }
    if (!response.headersSent) response.writeHead(408, { connection: 'close' }).end();
    // What is refused already still has its body on the way, and holds the connection.
    else request.socket.destroySoon();
  }
}
