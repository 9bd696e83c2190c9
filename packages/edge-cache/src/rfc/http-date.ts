const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const month = `(?<month>${months.join('|')})`;
const time = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const days = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const longDays = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)';

/** RFC 9110 §5.6.7: the preferred form and the two that recipients must still understand. */
const forms = [
  new RegExp(String.raw`^${days}, (?<day>\d{2}) ${month} (?<year>\d{4}) ${time} GMT$`, 'i'),
  new RegExp(String.raw`^${longDays}, (?<day>\d{2})-${month}-(?<year>\d{2}) ${time} GMT$`, 'i'),
  new RegExp(String.raw`^${days} ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`, 'i'),
];

/** Milliseconds since the epoch; undefined for what is no HTTP date. */
export function parseHttpDate(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  for (const form of forms) {
    const groups = form.exec(text)?.groups;
    if (groups === undefined) continue;
    const name = (groups['month'] ?? '').toLowerCase();
    const monthIndex = months.findIndex((other) => other.toLowerCase() === name);
    const [day, hour, minute, second] = ['day', 'hour', 'minute', 'second'].map((key) =>
      Number(groups[key]),
    ) as [number, number, number, number];
    if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
    const year = fullYear(groups['year'] ?? '', nowMs);
    return Date.UTC(year, monthIndex, day, hour, minute, second);
  }
  return undefined;
}

export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** A year of two digits that seems more than 50 years ahead is of the century before. */
function fullYear(text: string, nowMs: number): number {
  if (text.length === 4) return Number(text);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + Number(text);
  return year > thisYear + 50 ? year - 100 : year;
}
