import { once } from 'node:events';
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { TaplineError } from '@tapline/base';
import { type HelperOptions, serveHelper } from './serve-helper.ts';

/**
 * Serves an agent without rights at a Unix socket that its user alone may use: the agent ends and comes
 * again, and this goes on. One at a time, as there is one agent; who comes second is let go. Never ends.
 */
export async function listenHelper(
  where: {
    readonly path: string;
    readonly user: number;
    readonly watch: (onEvent: () => void) => Disposable;
  },
  options: HelperOptions,
): Promise<never> {
  const { path, user, watch } = where;
  if (!Number.isSafeInteger(user) || user < 1) {
    throw new TaplineError('user_invalid', `${user} is no number of a user other than root`, {
      hint: 'give --user the number that `id -u` prints for the user of the agent',
    });
  }
  let busy = false;
  const server = createServer((socket) => {
    if (busy) {
      socket.destroy();
      return;
    }
    busy = true;
    socket.on('error', () => socket.destroy());
    void serveHelper({ input: socket, output: socket, watch }, options)
      .catch(() => {})
      .finally(() => {
        busy = false;
        socket.destroy();
      });
  });
  const folder = dirname(path);
  // Others go through it to the socket; this process's mask would not let them.
  if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o755);
  await rm(path, { force: true });
  // Nobody but root may use it until it has its owner: the mask of this process says so.
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  await chown(path, user, 0);
  return await new Promise<never>((_, reject) => server.once('error', reject));
}
