import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ProgramResult } from '@tapline/fabric';
import { temporaryFolder } from '@tapline/testing';
import { magic } from '../support/traffic-classes.ts';
import { debianMachine } from './debian-machine.ts';
import { runMachine } from './run-machine.ts';

/** Who saw which mark, and what was seen between the nodes. */
export interface Sighting {
  readonly seen: readonly (readonly [number, string])[];
  /** ARP answers: at which port, whose MAC it was said to be, and of which address. */
  readonly answers: readonly (readonly [number, string, string])[];
  readonly wire: Readonly<Record<string, number>>;
}

/** A machine with Debian's kernel whose programs and ports are at hand from here. */
export interface Vm extends AsyncDisposable {
  run(namespace: string, argv: readonly string[], stdin?: string): Promise<ProgramResult>;
  /** Listens at these ports, by namespace and interface; `send` and streams name them by place. */
  listen(ports: readonly (readonly [string, string])[]): Promise<void>;
  send(frames: readonly (readonly [number, string])[]): Promise<Sighting>;
  /** What was seen since it sent last. */
  look(): Promise<Sighting>;
  /** Sends all the time while `work` goes on; `@` in the frame is its number. */
  stream(
    way: { readonly from: number; readonly to: number; readonly frame: string },
    work: () => Promise<void>,
  ): Promise<{ readonly sent: number; readonly arrived: number } & Pick<Sighting, 'wire'>>;
}

const modules = [
  'cls_flower',
  'cls_bpf',
  'act_skbedit',
  'sch_ingress',
  'veth',
  'bridge',
  'vxlan',
  'af_packet',
  'nf_tables',
  'nft_meta_bridge',
  'nft_xfrm',
  'nft_rt',
  'nft_counter',
  'nft_objref',
  'xfrm_user',
  'esp4',
  'macsec',
  'gcm',
  'ctr',
  'seqiv',
  'aes_generic',
  'cryptd',
  'crypto_simd',
  'hmac',
  'sha256_generic',
  'sha512_generic',
  'jitterentropy_rng',
  // Without a random generator there are no initialisation vectors.
  'drbg',
  'echainiv',
  'ghash_generic',
  'aesni_intel',
  'ghash_clmulni_intel',
  'virtio_pci',
  'virtio_net',
  'virtio_console',
];

/** Starts it, and runs the script in it before anything else. `devices`: more arguments of QEMU. */
export async function openVm(
  setUp: string,
  options: { readonly withinMs?: number; readonly devices?: readonly string[] } = {},
): Promise<Vm> {
  const { withinMs = 280_000, devices = [] } = options;
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const file = join(path, 'port');
  const server = createServer();
  server.listen(file);
  await once(server, 'listening');
  const driver = await readFile(new URL('vm-driver.py', import.meta.url));
  const running = runMachine(await debianMachine(), {
    modules,
    files: [{ path: 'driver.py', kind: 'file', content: driver }],
    script: `${setUp}\npython3.11 -S /driver.py /dev/vport0p1`,
    withinMs,
    arguments: [
      '-device',
      'virtio-serial-pci',
      '-chardev',
      `socket,id=host,path=${file}`,
      '-device',
      'virtserialport,chardev=host,name=tapline',
      // After it: the port is named for the number of its device.
      ...devices,
    ],
  });
  const [socket] = (await Promise.race([once(server, 'connection'), failure(running)])) as [Socket];
  server.close();
  const waiting = new Map<number, (answer: unknown) => void>();
  const ready = Promise.withResolvers<void>();
  createInterface({ input: socket }).on('line', (line) => {
    const { id, ...answer } = JSON.parse(line) as { readonly id?: number };
    if (id === undefined) ready.resolve();
    else waiting.get(id)?.(answer);
  });
  await Promise.race([ready.promise, failure(running)]);
  let next = 0;
  function ask<T>(kind: string, fields: object): Promise<T> {
    const id = next++;
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    socket.write(`${JSON.stringify({ id, kind, ...fields })}\n`);
    return Promise.race([answered, failure(running)]) as Promise<T>;
  }
  opened.defer(async () => {
    socket.write('{"kind":"end"}\n');
    await running;
  });
  const owned = opened.move();
  return {
    run: (netns, argv, stdin = '') => ask('run', { netns, argv, stdin }),
    async listen(ports) {
      await ask('ports', { ports, watch: '/run/netns/r', magic });
    },
    send: (frames) => ask('send', { send: frames, quiet: 0.3 }),
    look: () => ask('send', { send: [], quiet: 0.3, keep: 1 }),
    async stream({ from, to, frame }, work) {
      await ask('stream-start', { from, frame });
      await work();
      return await ask('stream-stop', { to });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function failure(running: Promise<unknown>): Promise<never> {
  await running;
  throw new Error('the machine has ended');
}
