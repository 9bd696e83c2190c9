import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  allocationResource,
  type Attachment,
  deviceResource,
  installResource,
  nodeResource,
  type Segment,
  segmentResource,
} from '@tapline/resources';
import { readManifests } from '../connection/read-manifests.ts';
import type { Console } from '../framework/console.ts';

/** The Attachments that there would be if the segments in these files were applied now. */
export async function previewAttachments(
  client: ResourceClient,
  options: {
    readonly files: readonly string[];
    readonly present: readonly Attachment[];
    readonly console: Pick<Console, 'stdin' | 'clock' | 'signal'>;
  },
): Promise<{ readonly attachments: readonly Attachment[]; readonly names: readonly string[] }> {
  const { files, present, console } = options;
  const manifests = await readManifests(files, console.stdin);
  const { bodyValidator } = await import('@tapline/resources');
  const validate = bodyValidator(segmentResource);
  const wanted = manifests
    .filter(({ kind }) => kind === 'Segment')
    .map((manifest): Segment => {
      const checked = validate({ spec: manifest.spec });
      if (checked.kind === 'valid') {
        const { apiVersion, kind, metadata } = manifest;
        return { apiVersion, kind, metadata, spec: checked.body['spec'] as Segment['spec'] };
      }
      const [issue] = checked.issues;
      throw new TaplineError(
        'invalid_manifest',
        `segment ${manifest.metadata.name}: ${issue?.path.join('.') ?? 'spec'} is ${issue?.problem.kind ?? 'invalid'}`,
      );
    });
  if (wanted.length === 0) {
    throw new TaplineError('usage', `${files.join(', ')} has no segment`);
  }
  const { signal } = console;
  const [segments, allocations, devices, nodes, installs] = await Promise.all([
    client.list(segmentResource, { signal }),
    client.list(allocationResource, { signal }),
    client.list(deviceResource, { signal }),
    client.list(nodeResource, { signal }),
    client.list(installResource, { signal }),
  ]);
  const { previewSegments } = await import('@tapline/control-plane');
  const world = {
    segments: segments.items,
    allocations: allocations.items,
    devices: devices.items,
    nodes: nodes.items,
    installs: installs.items,
    attachments: present,
  };
  const attachments = previewSegments(wanted, world, { nowMs: console.clock.now() });
  return { attachments, names: wanted.map(({ metadata }) => metadata.name) };
}
