import { formatBytes, formatDuration } from '@tapline/base';
import type { InstallImage, InstallSpec, StatusError } from '@tapline/resources';
import type { ImageLayer } from './image-store.ts';

/** One thing to do for an Install. Each may be repeated after a crash in its middle. */
export type InstallStep =
  | { readonly kind: 'fetch-manifest'; readonly image: InstallImage }
  | { readonly kind: 'reserve'; readonly image: InstallImage; readonly bytes: number }
  | {
      readonly kind: 'fetch-layers';
      readonly image: InstallImage;
      readonly layers: readonly ImageLayer[];
    }
  | { readonly kind: 'lay-out'; readonly image: InstallImage }
  | { readonly kind: 'stop'; readonly revision: number }
  | { readonly kind: 'remove-container'; readonly revision: number }
  | { readonly kind: 'start'; readonly spec: InstallSpec }
  | { readonly kind: 'restart'; readonly spec: InstallSpec }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'check-health'; readonly spec: InstallSpec }
  | { readonly kind: 'commit'; readonly spec: InstallSpec }
  /** New connections are the revision's from here on. */
  | { readonly kind: 'move-ports'; readonly spec: InstallSpec }
  | { readonly kind: 'close-ports' }
  /** Waits for the connections that a revision has. */
  | { readonly kind: 'drain'; readonly revision: number }
  | { readonly kind: 'finish'; readonly revision: number }
  | {
      readonly kind: 'give-up';
      readonly revision: number;
      readonly error: StatusError;
      /** What is served from then on. */
      readonly serving: number | undefined;
    }
  | { readonly kind: 'forget' };

/** A step for people: how plans are shown and tested. */
export function describeStep(step: InstallStep): string {
  switch (step.kind) {
    case 'fetch-manifest':
      return `fetch manifest ${short(step.image.digest)}`;
    case 'reserve':
      return `reserve ${formatBytes(step.bytes)}`;
    case 'fetch-layers':
      return `fetch ${step.layers.map(({ digest }) => short(digest)).join(', ')}`;
    case 'lay-out':
      return `lay out ${short(step.image.digest)}`;
    case 'stop':
      return `stop revision ${step.revision}`;
    case 'remove-container':
      return `remove container of revision ${step.revision}`;
    case 'start':
      return `start revision ${step.spec.revision}`;
    case 'restart':
      return `restart revision ${step.spec.revision}`;
    case 'wait':
      return `wait ${formatDuration(step.ms)} before the restart`;
    case 'check-health':
      return `check health of revision ${step.spec.revision}`;
    case 'commit':
      return `commit revision ${step.spec.revision}`;
    case 'move-ports':
      return `move ports to revision ${step.spec.revision}`;
    case 'close-ports':
      return 'close ports';
    case 'drain':
      return `drain revision ${step.revision}`;
    case 'finish':
      return `leave revision ${step.revision} ended`;
    case 'give-up':
      return step.serving === undefined
        ? `give up revision ${step.revision} (${step.error.code})`
        : `roll back revision ${step.revision} to ${step.serving} (${step.error.code})`;
    case 'forget':
      return 'forget the install';
  }
}

function short(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
