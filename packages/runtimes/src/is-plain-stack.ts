import type { LayerIndex } from './layer-index.ts';

/** Whether no layer but the base has whiteouts: an overlay wants those as devices, not as names. */
export function isPlainStack(layers: readonly LayerIndex[]): boolean {
  return layers.every(
    ({ removed, opaque }, layer) => layer === 0 || (removed.length === 0 && opaque.length === 0),
  );
}
