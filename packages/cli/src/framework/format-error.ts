import { errorMessage, isTaplineError } from '@tapline/base';

/** An error for people: what and why, what to do, and the code; or one JSON object for programs. */
export function formatError(
  error: unknown,
  options: { readonly json: boolean; readonly verbose: boolean },
): string {
  const code = isTaplineError(error) ? error.code : 'internal';
  const hint = isTaplineError(error) ? error.hint : undefined;
  const message = errorMessage(error);
  if (options.json) {
    const details = isTaplineError(error) ? error.details : {};
    return `${JSON.stringify({ error: { code, message, ...(hint === undefined ? {} : { hint }), details } })}\n`;
  }
  const lines = [`tapline: ${message} [${code}]`];
  if (hint !== undefined) lines.push(`  ${hint}`);
  if (code === 'internal') lines.push('  this is a defect of Tapline; TAPLINE_DEBUG=1 shows where');
  if (options.verbose && error instanceof Error) lines.push(error.stack ?? '');
  return `${lines.join('\n')}\n`;
}
