/**
 * A number that orders devices the same way in every pass but differently for each delivery, so
 * that the first wave is not always the same devices, nor a whole site that shares one uplink.
 * FNV-1a, 32 bits.
 */
export function stableOrder(seed: string, name: string): number {
  let hash = 0x811c9dc5;
  for (const text of [seed, '/', name]) {
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
  }
  return hash >>> 0;
}
