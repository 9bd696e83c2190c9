import { TaplineError } from '@tapline/base';
import type { ContainerSpec, ProcessSpec } from '../container-spec.ts';
import type { MachineDialect } from './machine-dialect.ts';

const mebibyte = 1024 * 1024;

/** The words of a run, without the program. Throws `container_invalid` for what no machine can do. */
export function runWords(
  { runFlags }: Pick<MachineDialect, 'runFlags'>,
  spec: ContainerSpec,
  about: {
    readonly name: string;
    readonly image: string;
    readonly environment: string;
    readonly mode: 'foreground' | 'background';
    /** Where the command line writes that the container is there. */
    readonly idFile: string;
  },
): readonly string[] {
  if (typeof spec.network === 'object') {
    const message = `container ${spec.id} is to be in a network namespace of this host, which a machine's containers cannot join`;
    throw new TaplineError('container_invalid', message, {
      hint: 'run what belongs to a segment on a node with runc',
    });
  }
  const { limits, binds = [] } = spec;
  return [
    'run',
    '--name',
    about.name,
    ...(about.mode === 'foreground' ? ['--rm', '--interactive'] : ['--cidfile', about.idFile]),
    ...processWords(spec, about.environment),
    ...(limits.memoryBytes === undefined
      ? []
      : ['--memory', `${Math.ceil(limits.memoryBytes / mebibyte)}M`]),
    ...binds.flatMap(({ source, path, readOnly }) => [
      '--mount',
      `type=bind,source=${source},target=${path}${readOnly ? ',readonly' : ''}`,
    ]),
    ...Object.entries(spec.labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...runFlags(spec),
    about.image,
    ...spec.command,
  ];
}

/** The words of another process in a container. */
export function execWords(
  process: ProcessSpec,
  about: { readonly name: string; readonly environment: string },
): readonly string[] {
  return [
    'exec',
    '--interactive',
    ...processWords(process, about.environment),
    about.name,
    ...process.command,
  ];
}

/** A file for `--env-file`: what is on a command line, everybody on this host can read. */
export function environmentFile({ env }: ProcessSpec): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (!/[\r\n]/.test(value)) return `${name}=${value}\n`;
    const message = `environment variable ${name} has more than one line`;
    throw new TaplineError('container_invalid', message, {
      hint: 'command lines of machines take one line each',
    });
  });
  return lines.join('');
}

function processWords(process: ProcessSpec, environment: string): readonly string[] {
  const { uid, gid } = process.user;
  return [
    '--env-file',
    environment,
    '--workdir',
    process.workingDirectory,
    '--user',
    `${uid}:${gid}`,
  ];
}
