import { defined, TaplineError } from '@tapline/base';
import type { InstallSpec } from '@tapline/resources';
import type { ContainerSpec, ProcessSpec } from '@tapline/runtimes';
import type { ImageRoot } from './image-store.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const tmpBytes = 64 * 1024 * 1024;

/** Whose containers these are, and where. */
export interface ContainerOwner {
  readonly device: string;
  readonly install: string;
  readonly uid: string;
}

/** The container of an Install's revision: found again by its name after any crash. */
export function containerId(uid: string, revision: number): string {
  return `${uid}.r${revision}`;
}

/** What a program is started as: what the Install says, or else the image. Throws `image_without_command`. */
export function commandOf(spec: InstallSpec, { config }: ImageRoot): readonly string[] {
  const own = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const command = spec.run?.command ?? own;
  if (command.length > 0) return command;
  throw new TaplineError(
    'image_without_command',
    `image ${spec.image.repository} says of no program to run`,
    { hint: 'name one in spec.run.command' },
  );
}

/** A process of the image, with the environment that the image and the Install give it. */
export function processOf(
  spec: InstallSpec,
  root: ImageRoot,
  command: readonly string[],
): ProcessSpec {
  const { config } = root;
  const env = Object.fromEntries(
    (config.Env ?? []).map((entry) => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
  return {
    command,
    env: { PATH: defaultPath, HOME: '/tmp', ...env, ...spec.run?.env },
    workingDirectory:
      config.WorkingDir === undefined || config.WorkingDir === '' ? '/' : config.WorkingDir,
    user: parseUser(config.User),
  };
}

/** A container of the image. Its root file system is never written to; /tmp is its own. */
export function containerSpecOf(
  spec: InstallSpec,
  root: ImageRoot,
  container: {
    readonly id: string;
    readonly command: readonly string[];
    readonly owner: ContainerOwner;
    /** Beside what the image and the Install give it. */
    readonly env?: Readonly<Record<string, string>> | undefined;
    /** Of a program in a segment: where its interface is. */
    readonly namespace?: string | undefined;
  },
): ContainerSpec {
  const { owner, namespace } = container;
  if (spec.segment !== undefined && namespace === undefined) {
    throw new TaplineError(
      'segment_no_namespace',
      `${owner.install} is in segment ${spec.segment.name}, and this device has no part in segments`,
    );
  }
  const { memoryBytes, pids, cpus } = spec.limits ?? {};
  const process = processOf(spec, root, container.command);
  return {
    ...process,
    env: { ...process.env, ...container.env },
    id: container.id,
    rootfs: root.rootfs,
    hostname: owner.device,
    limits: defined({ memoryBytes, pids, cpus }),
    tmpfs: [{ path: '/tmp', sizeBytes: tmpBytes }],
    network: networkOf(spec, namespace),
    labels: { install: owner.install, uid: owner.uid, revision: String(spec.revision) },
  };
}

/** Who is in a segment is in nothing else: the device's own network would be a way around it. */
function networkOf(spec: InstallSpec, namespace: string | undefined): ContainerSpec['network'] {
  if (spec.segment !== undefined && namespace !== undefined) return { namespace };
  return spec.network === 'Host' ? 'host' : 'none';
}

/** `uid` or `uid:gid`; a name would have to be looked up in the image, which ours do not need. */
function parseUser(text: string | undefined): { readonly uid: number; readonly gid: number } {
  if (text === undefined || text === '') return { uid: 0, gid: 0 };
  const match = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
  if (match !== null) return { uid: Number(match[1]), gid: Number(match[2] ?? 0) };
  if (text === 'root') return { uid: 0, gid: 0 };
  throw new TaplineError('image_user_unsupported', `the image's user ${text} is not a number`);
}
