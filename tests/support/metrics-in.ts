/**
 * The metrics of the product that an expression names, as their declarations have them: without what
 * histograms add to the name, and without series that rules record.
 */
export function metricsIn(expression: string): readonly string[] {
  return [...expression.matchAll(/(?<![:\w])tapline_[a-z0-9_]+(?![:\w])/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ''),
  );
}

/** The series that an expression takes from rules: `level:metric:operations`. */
export function recordedIn(expression: string): readonly string[] {
  return [...expression.matchAll(/(?<![:\w])(?:site|global):[a-zA-Z0-9_:]+/g)].map(
    ([name]) => name,
  );
}
