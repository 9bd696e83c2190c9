import { TaplineError } from '@tapline/base';
import type { ContainerConfig } from '@tapline/oci';
import type { RunProgramOptions } from '../run-program.ts';
import type { LayerDirectory } from '../files/layer.ts';
import { findProgram } from './find-program.ts';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface WantedCommand {
  readonly files: LayerDirectory;
  /** What the image says; nothing where there is none. */
  readonly config: ContainerConfig;
  /** Program and arguments; those of the image where it is empty. */
  readonly argv: readonly string[];
  /** After those of the image. */
  readonly env: readonly string[];
  /** The image's where it is empty. */
  readonly folder: string;
}

/** What to start of an image: its own program or another, with its environment and folder. */
export function planCommand({
  files,
  config,
  argv: given,
  env: more,
  folder,
}: WantedCommand): Pick<RunProgramOptions, 'path' | 'argv' | 'env' | 'folder'> {
  const { Entrypoint = [], Cmd = [], Env = [], WorkingDir = '' } = config;
  const argv = given.length > 0 ? given : [...Entrypoint, ...Cmd];
  const [program] = argv;
  if (program === undefined) {
    throw new TaplineError('usage', 'no command is given, and the image names none', {
      hint: 'name one after --, such as sh',
    });
  }
  const env = [defaultPath, 'HOME=/root', 'LANG=C.UTF-8', ...Env, ...more];
  return { path: findProgram(files, program, env), argv, env, folder: folder || WorkingDir || '/' };
}
