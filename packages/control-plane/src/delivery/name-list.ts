const shown = 5;

/** Names for a sentence, the first few of many: `d1, d2 and 40 more`. */
export function nameList(names: readonly string[]): string {
  if (names.length <= shown) return names.join(', ');
  return `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
}
