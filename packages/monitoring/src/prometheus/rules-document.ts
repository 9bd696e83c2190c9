import type { AlertingRule, RecordingRule, RuleGroup } from './rule.ts';

/** Groups as Prometheus reads them. */
export function rulesDocument(groups: readonly RuleGroup[]): unknown {
  return { groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(ruleDocument) })) };
}

function ruleDocument(rule: RecordingRule | AlertingRule): unknown {
  if ('record' in rule) return rule;
  const { alert, expr, severity, summary, runbook, dashboard } = rule;
  return {
    alert,
    expr,
    for: rule.for,
    labels: { severity, product: 'tapline' },
    annotations: {
      summary,
      runbook: `docs/runbooks/${runbook}.md`,
      dashboard: `/d/${dashboard}`,
    },
  };
}
