import type { ConnectHandler } from '@tapline/apiserver';
import { TaplineError } from '@tapline/base';
import type { Explanation } from '@tapline/reconcile';

/** Serves an explanation as the `explain` subresource of a kind. */
export function createExplainHandler(
  explain: (name: string) => Explanation | undefined,
): ConnectHandler {
  return {
    verb: 'get',
    handle: async ({ object }, response) => {
      const { name } = object.metadata;
      const explanation = explain(name);
      if (explanation === undefined) {
        // The API server has it; the informer will in a moment.
        throw new TaplineError('unavailable', `${name} is not in the reconciler's cache yet`, {
          hint: 'try again',
        });
      }
      const body = Buffer.from(JSON.stringify(explanation));
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': body.length,
        'cache-control': 'no-store',
      });
      response.end(body);
    },
  };
}
