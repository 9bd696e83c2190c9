import type { BottleTag } from '@tapline/brew';

/** What a build is doing, as data for progress bars and stage times. Durations in ms. */
export type BuildEvent =
  | {
      readonly kind: 'planned';
      readonly tag: BottleTag;
      /** Formula names, dependencies first. */
      readonly formulae: readonly string[];
      /** Of the bottles that are not cached, as far as their sizes are known. */
      readonly downloadBytes: number;
    }
  | {
      readonly kind: 'fetching';
      readonly formula: string;
      readonly receivedBytes: number;
      readonly totalBytes: number | undefined;
    }
  | { readonly kind: 'fetched'; readonly formula: string; readonly size: number }
  | {
      readonly kind: 'layer';
      readonly formula: string;
      readonly source: 'built' | 'cached';
      readonly size: number;
      readonly durationMs: number;
    }
  /** An ELF file that relocation left as it was, and why. */
  | {
      readonly kind: 'not-relocated';
      readonly formula: string;
      readonly path: string;
      readonly reason: string;
    }
  | { readonly kind: 'image'; readonly tag: BottleTag; readonly digest: string };

export type OnBuildEvent = (event: BuildEvent) => void;
