/**
 * How long before `nowMs` an RFC 3339 `time` was, as kubectl shows it: `5s`, `3m20s`, `2d4h`, `40d`.
 * kubectl knows the past only; a time to come, such as an expiry, is `in 12m`.
 */
export function formatAge(time: string, nowMs: number): string {
  const agoMs = nowMs - Date.parse(time);
  if (Number.isNaN(agoMs)) return '<invalid>';
  return agoMs < -2000 ? `in ${humanDuration(-agoMs)}` : humanDuration(Math.max(0, agoMs));
}

// The steps of HumanDuration in Kubernetes's apimachinery, pkg/util/duration.
function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return join(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return join(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return join(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? join(years, 'y', days % 365, 'd') : `${years}y`;
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
