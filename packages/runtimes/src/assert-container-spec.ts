import { isAbsolute } from 'node:path';
import { TaplineError } from '@tapline/base';
import type { ContainerSpec, ProcessSpec } from './container-spec.ts';

const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const maxId = 65_535;

/** Throws `container_invalid` naming the field. */
export function assertContainerSpec(spec: ContainerSpec): void {
  assertContainerId(spec.id);
  assertProcessSpec(spec);
  assertAbsolute('rootfs', spec.rootfs);
  if (!/^[A-Za-z0-9.-]{1,63}$/.test(spec.hostname)) throw invalid('hostname', spec.hostname);
  for (const [name, value] of Object.entries(spec.limits)) {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw invalid(`limits.${name}`, value);
    }
  }
  for (const { path, sizeBytes } of spec.tmpfs) {
    assertAbsolute('tmpfs.path', path);
    if (!(Number.isSafeInteger(sizeBytes) && sizeBytes > 0)) {
      throw invalid('tmpfs.sizeBytes', sizeBytes);
    }
  }
  if (typeof spec.network === 'object') {
    assertAbsolute('network.namespace', spec.network.namespace);
  }
  for (const { source, path } of spec.binds ?? []) {
    assertAbsolute('binds.source', source);
    assertAbsolute('binds.path', path);
  }
}

/** Ids become names of files and control groups. */
export function assertContainerId(id: string): void {
  if (!idPattern.test(id)) throw invalid('id', id);
}

export function assertProcessSpec(spec: ProcessSpec): void {
  const [program] = spec.command;
  if (program === undefined || program === '') throw invalid('command', spec.command);
  if (spec.command.some((word) => word.includes('\0'))) throw invalid('command', spec.command);
  for (const [name, value] of Object.entries(spec.env)) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) throw invalid('env', name);
  }
  assertAbsolute('workingDirectory', spec.workingDirectory);
  for (const [name, id] of Object.entries(spec.user)) {
    if (!Number.isInteger(id) || id < 0 || id > maxId) throw invalid(`user.${name}`, id);
  }
}

function assertAbsolute(field: string, path: string): void {
  if (!isAbsolute(path) || path.includes('\0') || path.split('/').includes('..')) {
    throw invalid(field, path);
  }
}

function invalid(field: string, value: unknown): TaplineError {
  return new TaplineError(
    'container_invalid',
    `${field} of the container cannot be ${JSON.stringify(value)?.slice(0, 200)}`,
    { details: { field } },
  );
}
