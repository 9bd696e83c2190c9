import type { Informer } from '@tapline/reconcile';
import type {
  Attachment,
  Channel,
  Delivery,
  Device,
  Incident,
  Install,
  Node,
  OpsPolicy,
  Playbook,
  Remediation,
  Segment,
  Workload,
} from '@tapline/resources';

/** Local copies of all that OpsBot looks at; a control plane has most of them already. */
export interface OpsInformers {
  readonly devices: Informer<Device>;
  readonly nodes: Informer<Node>;
  readonly workloads: Informer<Workload>;
  readonly channels: Informer<Channel>;
  readonly segments: Informer<Segment>;
  readonly attachments: Informer<Attachment>;
  readonly deliveries: Informer<Delivery>;
  readonly installs: Informer<Install>;
  readonly playbooks: Informer<Playbook>;
  readonly remediations: Informer<Remediation>;
  readonly incidents: Informer<Incident>;
  readonly policies: Informer<OpsPolicy>;
}
