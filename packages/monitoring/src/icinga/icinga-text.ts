/** Longest text that is sent as a title or as the output of a check. */
const maxLength = 1000;

/**
 * Text that is shown and nothing else. Icinga expands `$…$` in commands of notifications, also in
 * what it expanded, and parts the output of a check from its performance data at `|`; shells of
 * such commands know control characters, quotes and backquotes. All of these become harmless.
 */
export function icingaText(text: string): string {
  const safe = text
    .slice(0, 4 * maxLength)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/["'`]/g, '’')
    .replaceAll('$', '＄')
    .replaceAll('|', '¦')
    .replaceAll('\\', '＼')
    .trim();
  return safe.length <= maxLength ? safe : `${safe.slice(0, maxLength - 1).toWellFormed()}…`;
}
