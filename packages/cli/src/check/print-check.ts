import type { CheckOutcome } from '@tapline/monitoring';
import type { Console } from '../framework/console.ts';

/** Prints the line of a plugin; answers its exit code. */
export async function printCheck(console: Console, outcome: CheckOutcome): Promise<number> {
  const { checkLine } = await import('@tapline/monitoring');
  console.write(checkLine(outcome));
  return outcome.state;
}
