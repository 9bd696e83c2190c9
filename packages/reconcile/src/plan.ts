/** One thing that a plan would do; `kind` says which piece executes it. */
export interface Step {
  readonly kind: string;
}

/** Something that keeps the object from converging and that no step of ours can hurry. */
export interface Waiting {
  /** What is waited for, such as `devices d1, d2`. */
  readonly what: string;
  readonly why: string;
  /** Since when, RFC 3339. */
  readonly since?: string;
}

/** What a reconciler would do next, as data: made by a pure function, executed by another piece. */
export interface Plan<S extends Step = Step> {
  readonly steps: readonly S[];
  readonly waiting: readonly Waiting[];
}

/** A plan in words, as `explain` serves it. */
export interface Explanation {
  readonly steps: readonly { readonly kind: string; readonly text: string }[];
  readonly waiting: readonly Waiting[];
}

/** Puts a plan into words; `describe` has one for each kind of step. */
export function explainPlan<S extends Step>(
  plan: Plan<S>,
  describe: (step: S) => string,
): Explanation {
  return {
    steps: plan.steps.map((step) => ({ kind: step.kind, text: describe(step) })),
    waiting: plan.waiting,
  };
}
