import type { AttachmentSpec } from '@tapline/resources';
import type { LeasePool, LeaseRequest, WantedPort } from '@tapline/segments';

/** An Attachment's spec before it has an epoch. */
export type AttachmentBody = Omit<AttachmentSpec, 'epoch'>;

/** What a segment's pass does, as data. */
export type SegmentStep =
  | { readonly kind: 'add-finalizer' }
  | { readonly kind: 'open-allocation'; readonly name: string; readonly from: string }
  | {
      readonly kind: 'lease';
      readonly from: string;
      readonly request: LeaseRequest;
      readonly pool: LeasePool;
    }
  | {
      readonly kind: 'settle';
      readonly name: string;
      readonly ports: readonly WantedPort[];
      readonly subnet: string;
      readonly firstIncarnation: number;
      /** Whether what nodes have to do changes. */
      readonly newEpoch: boolean;
    }
  | { readonly kind: 'create-attachment'; readonly name: string; readonly spec: AttachmentSpec }
  | {
      readonly kind: 'update-attachment';
      readonly name: string;
      readonly spec: AttachmentSpec;
    }
  | { readonly kind: 'delete-attachment'; readonly name: string; readonly why: string }
  | { readonly kind: 'end-lease'; readonly from: string; readonly until: string }
  | { readonly kind: 'delete-allocation'; readonly name: string }
  | { readonly kind: 'remove-finalizer' };

/** A step in words. */
export function describeSegmentStep(step: SegmentStep): string {
  switch (step.kind) {
    case 'add-finalizer':
      return 'keep the segment until its numbers are given back';
    case 'open-allocation':
      return `open allocation ${step.name}`;
    case 'lease': {
      const { request, pool } = step;
      const prefix = request.prefix ?? `a prefix of length ${request.prefixLength}`;
      const vnis = request.size === 1 ? 'a VNI' : `${request.size} VNIs`;
      return `lease ${vnis} and ${prefix} from ${pool.name}`;
    }
    case 'settle': {
      const epoch = step.newEpoch ? ', as a new epoch' : '';
      return `settle ${step.ports.length} ports in ${step.subnet}${epoch}`;
    }
    case 'create-attachment':
      return `create attachment ${step.name} at epoch ${step.spec.epoch}`;
    case 'update-attachment':
      return `update attachment ${step.name} to epoch ${step.spec.epoch}`;
    case 'delete-attachment':
      return `delete attachment ${step.name}: ${step.why}`;
    case 'end-lease':
      return `give back VNI and addresses, in quarantine until ${step.until}`;
    case 'delete-allocation':
      return `delete allocation ${step.name}`;
    case 'remove-finalizer':
      return 'let the segment go';
  }
}
