import type { AttachmentSpec } from '@tapline/resources';

/** What the node keeps of an Attachment, so that segments stand also without a control plane. */
export interface AttachmentRecord {
  readonly name: string;
  readonly uid: string;
  readonly spec: AttachmentSpec;
  /** Counts what was accepted: of two that describe a node, the later one is right. */
  readonly sequence: number;
}
