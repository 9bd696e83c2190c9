import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Channel, channelResource, findCondition } from '@tapline/resources';
import type { Console } from '../framework/console.ts';

const lookEveryMs = 100;

/**
 * Looks at a channel until `done`, and answers it. Throws `timed_out` with what it waits for: its
 * conditions say why.
 */
export async function awaitChannel(
  client: ResourceClient,
  name: string,
  wanted: {
    /** `is flushed`. */
    readonly what: string;
    readonly done: (channel: Channel) => boolean;
    readonly timeoutMs: number;
    readonly console: Console;
  },
): Promise<Channel> {
  const { clock, signal } = wanted.console;
  const fromMs = clock.monotonic();
  for (;;) {
    const channel = await client.get(channelResource, name, { signal });
    if (wanted.done(channel)) return channel;
    if (clock.monotonic() - fromMs > wanted.timeoutMs) {
      const { message } = findCondition(channel.status?.conditions, 'Ready') ?? {};
      throw new TaplineError(
        'timed_out',
        `channel ${name} ${wanted.what} not within ${wanted.timeoutMs / 1000} s${message === undefined ? '' : `: ${message}`}`,
        { hint: `look at it with \`tapline describe channel ${name}\`` },
      );
    }
    await clock.sleep(lookEveryMs, { signal });
  }
}

/** What answered a generation that this command has raised. */
export function hasSeen({ metadata, status }: Channel): boolean {
  return status?.observedGeneration === metadata.generation;
}
