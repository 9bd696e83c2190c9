/** The text of whatever was thrown, with the texts of its causes, outermost first. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? error.message
    : `${error.message}: ${errorMessage(error.cause)}`;
}
