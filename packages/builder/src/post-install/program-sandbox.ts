import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorMessage, isTaplineError, type Log } from '@tapline/base';
import {
  imageUser,
  prefix,
  type PrefixTree,
  type StepContext,
  StepFailure,
  type StepProgram,
} from '@tapline/brew';
import { type ContainerSpec, createRuncRuntime, type Runtime } from '@tapline/runtimes';
import type { PouredKeg } from '../build-link-layer.ts';
import type { LayerSink } from '../layer-sink.ts';
import { cannotRunHere } from './can-run-here.ts';
import { ImageFolder } from './image-folder.ts';

export interface ProgramSandboxInit {
  /** For root file systems and what runc needs; emptied after use. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One image whose programs run. */
export interface OpenSandbox extends AsyncDisposable {
  run(program: StepProgram, tree: PrefixTree, context: StepContext): Promise<void>;
}

export interface SandboxedImage {
  readonly sink: LayerSink;
  readonly kegs: readonly PouredKeg[];
  readonly architecture: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs programs of images that are being built. */
export interface ProgramSandbox {
  open(image: SandboxedImage): OpenSandbox;
}

const timeoutMs = 120_000;
const maxOutputBytes = 64 * 1024;
const limits = { memoryBytes: 1024 * 1024 * 1024, pids: 256, cpus: 2, openFiles: 1024 };
/** Where Homebrew's own sandbox lets steps write, beside the keg (`keg.rb`, `keg_link_directories`). */
const writableFolders = ['bin', 'etc', 'include', 'lib', 'sbin', 'share', 'var'];

/**
 * Containers by runc: no network, no capabilities, an ordinary user, a root that is read-only but for
 * the prefix's folders and the formula's own keg, and bounds on time, memory and processes. The root is
 * made for one image and thrown away.
 */
export function createProgramSandbox(init: ProgramSandboxInit): ProgramSandbox {
  return {
    open(image) {
      const directory = join(init.directory, randomUUID());
      let opening: Promise<OpenedImage> | undefined;
      async function close(): Promise<void> {
        const opened = await opening?.catch(() => undefined);
        opening = undefined;
        await opened?.runtime[Symbol.asyncDispose]();
        await rm(directory, { recursive: true, force: true });
      }
      return {
        async run(program, tree, context) {
          const unable = cannotRunHere(image.architecture);
          if (unable !== undefined) throw new StepFailure(unable);
          opening ??= openImage(directory, init, image);
          try {
            await runProgram(await opening, program, { tree, context, image });
          } catch (error) {
            // What a failed program left is no part of the image.
            await close();
            image.signal?.throwIfAborted();
            if (error instanceof StepFailure || !isTaplineError(error)) throw error;
            // The end of what runc says: in front of it are places of this machine.
            const reason = errorMessage(error).split(': ').at(-1) ?? '';
            throw new StepFailure(`${program.command[0] ?? ''} did not run: ${reason}`);
          }
        },
        [Symbol.asyncDispose]: close,
      };
    },
  };
}

interface OpenedImage {
  readonly runtime: Runtime;
  readonly folder: ImageFolder;
  readonly root: string;
}

async function openImage(
  directory: string,
  { clock, log }: ProgramSandboxInit,
  image: SandboxedImage,
): Promise<OpenedImage> {
  const root = join(directory, 'root');
  for (const name of ['proc', 'dev', 'sys', 'tmp', 'etc']) {
    await mkdir(join(root, name), { recursive: true });
  }
  // User namespaces have to pass through; nobody can list what is in the random one.
  await chmod(directory, 0o711);
  await chmod(root, 0o755);
  const { uid, gid, name } = imageUser;
  await writeFile(join(root, 'etc/passwd'), `${name}:x:${uid}:${gid}:${name}:/tmp:/sbin/nologin\n`);
  await writeFile(join(root, 'etc/group'), `${name}:x:${gid}:\n`);
  const runtime = await createRuncRuntime({
    directory: join(directory, 'runtime'),
    clock,
    log,
    maxLogBytes: maxOutputBytes,
  });
  return { runtime, root, folder: new ImageFolder({ ...image, root }) };
}

async function runProgram(
  { runtime, folder, root }: OpenedImage,
  program: StepProgram,
  step: {
    readonly tree: PrefixTree;
    readonly context: StepContext;
    readonly image: SandboxedImage;
  },
): Promise<void> {
  const { tree, context, image } = step;
  const keg = `${prefix}/Cellar/${context.name}/${context.pkgVersion}`;
  for (const name of writableFolders) tree.makeDirectories(`${prefix}/${name}`);
  const writable = [...writableFolders.map((name) => `${prefix}/${name}`), keg];
  await folder.write(tree);
  const prepared = await runtime.prepare(containerSpec(program, { root, folder, writable }));
  for (const path of writable) await folder.give(path, prepared.confinement.hostUser);
  await folder.settle();
  const [stdout, stderr]: Uint8Array[][] = [[], []];
  const stdin = program.stdin === undefined ? undefined : locate(tree, program.stdin);
  const { exitCode } = await runtime.run(prepared, {
    ...(stdin !== undefined && { stdin: await readFile(folder.pathOf(stdin)) }),
    onStdout: bounded(stdout ?? [], program.stdout === undefined ? maxOutputBytes : 2 ** 26),
    onStderr: bounded(stderr ?? [], maxOutputBytes),
    timeoutMs,
    ...(image.signal !== undefined && { signal: image.signal }),
  });
  if (exitCode !== 0 && !program.mayFail) {
    const said = Buffer.concat(stderr ?? [])
      .toString('utf8')
      .trim()
      .slice(-300);
    throw new StepFailure(`${program.command[0] ?? ''} ended with ${exitCode}: ${said}`);
  }
  await folder.collect(tree, writable);
  if (program.stdout === undefined || exitCode !== 0) return;
  tree.makeDirectories(program.stdout.slice(0, program.stdout.lastIndexOf('/')));
  const located = tree.locate(program.stdout, { follow: true });
  if (located === undefined) throw new StepFailure(`${program.stdout} leads nowhere`);
  const bytes = Buffer.concat(stdout ?? []);
  tree.put(located, { kind: 'file', mode: 0o644, content: { kind: 'bytes', bytes } });
}

function containerSpec(
  program: StepProgram,
  place: {
    readonly root: string;
    readonly folder: ImageFolder;
    readonly writable: readonly string[];
  },
): ContainerSpec {
  return {
    id: `step-${randomUUID()}`,
    rootfs: place.root,
    hostname: 'localhost',
    command: program.command,
    env: {
      PATH: `${prefix}/bin:${prefix}/sbin`,
      HOME: '/tmp',
      TMPDIR: '/tmp',
      LANG: 'C.UTF-8',
      ...program.environment,
    },
    workingDirectory: program.workingDirectory ?? prefix,
    user: { uid: imageUser.uid, gid: imageUser.gid },
    limits,
    tmpfs: [{ path: '/tmp', sizeBytes: 64 * 1024 * 1024 }],
    binds: place.writable.map((path) => ({
      source: place.folder.pathOf(path),
      path,
      readOnly: false,
    })),
    network: 'none',
    labels: {},
  };
}

/** Where a path of the image is once its links are followed; a link on the disk could lead anywhere. */
function locate(tree: PrefixTree, path: string): string {
  const located = tree.locate(path, { follow: true });
  if (located?.node?.kind !== 'file') throw new StepFailure(`${path} is no file`);
  return located.path;
}

function bounded(chunks: Uint8Array[], maxBytes: number): (chunk: Uint8Array) => void {
  let size = 0;
  return (chunk) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
  };
}
