import type { MessageInitShape } from '@bufbuild/protobuf';
import { defined } from '@tapline/base';
import {
  apiVersionOf,
  type Install,
  type InstallImage,
  installResource,
  type InstallSpec,
} from '@tapline/resources';
import type {
  Image,
  Install as InstallMessage,
  InstallSchema,
  InstallSpec as SpecMessage,
  InstallSpecSchema,
} from './generated/tapline/gateway/v1/gateway_pb.ts';
import { installStatusMessage, installStatusOf } from './install-status-message.ts';
import { whole } from './whole.ts';

type Spec = InstallSpec;

/** An Install as calls carry it. */
export function installMessage(install: Install): MessageInitShape<typeof InstallSchema> {
  const { metadata, spec, status } = install;
  return defined({
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    deletionTimestamp: metadata.deletionTimestamp,
    spec: specMessage(spec),
    status: status === undefined ? undefined : installStatusMessage(status),
  });
}

/** The Install of a message, with what of its metadata its device needs. */
export function installOf(message: InstallMessage): Install {
  const { name, uid, resourceVersion, deletionTimestamp, spec, status } = message;
  return {
    apiVersion: apiVersionOf(installResource),
    kind: installResource.kind,
    metadata: { name, uid, resourceVersion, ...defined({ deletionTimestamp }) },
    spec: spec === undefined ? ({} as Spec) : specOf(spec),
    ...(status === undefined ? {} : { status: installStatusOf(status) }),
  };
}

function specMessage(spec: Spec): MessageInitShape<typeof InstallSpecSchema> {
  const { revision, image, limits } = spec;
  const { memoryBytes } = limits ?? {};
  return {
    ...spec,
    revision: BigInt(revision),
    image: {
      ...image,
      sizeBytes: BigInt(image.sizeBytes),
      unpackedBytes: BigInt(image.unpackedBytes),
    },
    ...(limits === undefined
      ? {}
      : {
          limits: {
            ...defined({ pids: limits.pids, cpus: limits.cpus }),
            ...(memoryBytes === undefined ? {} : { memoryBytes: BigInt(memoryBytes) }),
          },
        }),
  } as MessageInitShape<typeof InstallSpecSchema>;
}

function specOf(spec: SpecMessage): Spec {
  const { device, delivery, formula, version, revision, image, run, health, limits } = spec;
  return whole<Spec>({
    device,
    delivery,
    formula,
    version,
    revision: Number(revision),
    image: image === undefined ? undefined : imageOf(image),
    run: run === undefined ? undefined : runOf(run),
    health:
      health === undefined
        ? undefined
        : whole<NonNullable<Spec['health']>>({
            command: unlessNone(health.command),
            http: health.http,
            timeoutSeconds: health.timeoutSeconds,
            attempts: health.attempts,
            intervalSeconds: health.intervalSeconds,
          }),
    limits:
      limits === undefined
        ? undefined
        : whole<NonNullable<Spec['limits']>>({
            memoryBytes: limits.memoryBytes === undefined ? undefined : Number(limits.memoryBytes),
            pids: limits.pids,
            cpus: limits.cpus,
          }),
    network: spec.network as Spec['network'],
    segment:
      spec.segment === undefined
        ? undefined
        : whole<NonNullable<Spec['segment']>>({
            name: spec.segment.name,
            labels: unlessEmpty(spec.segment.labels),
          }),
    ports: unlessNone(
      spec.ports.map(({ port, env, target }) =>
        whole<NonNullable<Spec['ports']>[number]>({ port, env, target }),
      ),
    ),
    drainSeconds: spec.drainSeconds,
  });
}

function imageOf(image: Image): InstallImage {
  const { repository, digest, platform, main } = image;
  return whole<InstallImage>({
    repository,
    digest,
    platform,
    sizeBytes: Number(image.sizeBytes),
    unpackedBytes: Number(image.unpackedBytes),
    main,
  });
}

function runOf(run: NonNullable<SpecMessage['run']>): NonNullable<Spec['run']> {
  type Run = NonNullable<Spec['run']>;
  return whole<Run>({
    command: unlessNone(run.command),
    env: unlessEmpty(run.env),
    restart: run.restart as Run['restart'],
  });
}

/** A list that was absent and one with nothing in it are the same, too. */
function unlessNone<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** A map that was absent and one with nothing in it are the same in a message. */
function unlessEmpty(map: Record<string, string>): Record<string, string> | undefined {
  return Object.keys(map).length === 0 ? undefined : map;
}
