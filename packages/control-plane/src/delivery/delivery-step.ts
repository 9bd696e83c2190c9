import type { Device, Install, PinnedImage } from '@tapline/resources';

/** What a delivery's pass does, as data. */
export type DeliveryStep =
  | {
      readonly kind: 'create-package';
      readonly name: string;
      readonly formula: string;
      readonly version?: string | undefined;
      readonly image?: string | undefined;
      readonly platforms: readonly string[];
    }
  | { readonly kind: 'widen-package'; readonly name: string; readonly platforms: readonly string[] }
  | { readonly kind: 'refresh-package'; readonly name: string; readonly after: string }
  | { readonly kind: 'accept-revision'; readonly revision: number }
  | {
      readonly kind: 'pin-revision';
      readonly revision: number;
      readonly version: string;
      readonly images: readonly PinnedImage[];
    }
  | { readonly kind: 'create-install'; readonly name: string; readonly device: Device }
  | { readonly kind: 'update-install'; readonly install: Install; readonly device: Device }
  | { readonly kind: 'delete-install'; readonly install: Install; readonly why: string };

/** A step in words. */
export function describeDeliveryStep(step: DeliveryStep): string {
  switch (step.kind) {
    case 'create-package': {
      const { name, formula, version = 'what Homebrew serves', image, platforms } = step;
      const what = image === undefined ? `${formula} ${version}` : `image ${image}`;
      return `create package ${name}: ${what} for ${platforms.join(', ')}`;
    }
    case 'widen-package':
      return `build package ${step.name} also for ${step.platforms.join(', ')}`;
    case 'refresh-package':
      return `resolve package ${step.name} again`;
    case 'accept-revision':
      return `accept revision ${step.revision}`;
    case 'pin-revision': {
      const platforms = step.images.map(({ platform }) => platform).join(', ');
      return `pin revision ${step.revision} to ${step.version} for ${platforms}`;
    }
    case 'create-install':
      return `create install ${step.name}`;
    case 'update-install':
      return `update install ${step.install.metadata.name}`;
    case 'delete-install':
      return `delete install ${step.install.metadata.name}: ${step.why}`;
  }
}
