import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '@tapline/testing';
import { type Ends, within } from './run-ends.ts';

const sshPort = 2222;

/** Three ports of the server's loopback at the client's, each a channel of one connection of ssh. */
export async function forwardBySsh(
  ends: Ends,
  { folder, port }: { readonly folder: string; readonly port: number },
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const at = (name: string): string => join(folder, name);
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  }
  writeFileSync(at('authorized'), readFileSync(at('user.pub')));
  // What sshd separates its privileges in; a machine that has never run it lacks the folder.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const settings = [
    `ListenAddress ${ends.serverAddress}`,
    `Port ${sshPort}`,
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
  ];
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`);
  const daemon = ['/usr/sbin/sshd', '-D', '-e', '-f', at('sshd_config')];
  const [server = '', ...serverWords] = within(ends.server, daemon);
  opened.use(await startProcess(server, serverWords, { readyLine: /listening on/ }));
  const forwards = [0, 1, 2].flatMap((offset) => {
    return ['-L', `127.0.0.1:${port + offset}:127.0.0.1:${port + offset}`];
  });
  const options = [
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${at('known')}`,
    'LogLevel=VERBOSE',
  ];
  const ssh = [
    'ssh',
    '-N',
    '-v',
    '-F',
    'none',
    '-p',
    String(sshPort),
    '-i',
    at('user'),
    ...options.flatMap((option) => ['-o', option]),
    ...forwards,
    `root@${ends.serverAddress}`,
  ];
  const [client = '', ...clientWords] = within(ends.client, ssh);
  opened.use(
    await startProcess(client, clientWords, { readyLine: /Entering interactive session/ }),
  );
  const owned = opened.move();
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
