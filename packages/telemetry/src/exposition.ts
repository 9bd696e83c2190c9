/** A metric as prom-client tells of it. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly MetricValue[];
}

export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Where it differs from the metric's, as with `_bucket`. */
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: Readonly<Record<string, string>>;
    readonly value: number;
    /** In seconds. */
    readonly timestamp: number;
  } | null;
}

/** Prometheus's own text, or OpenMetrics, which has exemplars. */
export type MetricsFormat = 'text' | 'open';

/** The format to answer in: Prometheus asks for OpenMetrics where it takes both. */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  return /\bapplication\/openmetrics-text\b/.test(accept ?? '') ? 'open' : 'text';
}

export const metricsTypes: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  open: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What ends an exposition, which may be of several parts. */
export const expositionEnd: Readonly<Record<MetricsFormat, string>> = { text: '', open: '# EOF\n' };

/**
 * Metrics as text, without the end. prom-client's own does the same, but as it writes OpenMetrics it takes
 * `_total` off the metrics themselves, so that the other format is wrong from then on.
 */
export function exposition(metrics: readonly MetricJson[], format: MetricsFormat): string {
  return metrics.map((metric) => metricText(metric, format)).join('');
}

function metricText({ name, help, type, values }: MetricJson, format: MetricsFormat): string {
  const lines = values.map((value) => `${valueText(name, value, format)}\n`).join('');
  // In OpenMetrics a counter's family goes without the suffix that its samples have.
  const isOpenCounter = format === 'open' && type === 'counter';
  const family = isOpenCounter ? name.replace(/_total$/, '') : name;
  const kind = isOpenCounter && family === name ? 'unknown' : type;
  return `# HELP ${family} ${escape(help)}\n# TYPE ${family} ${kind}\n${lines}`;
}

function valueText(
  name: string,
  { value, labels, metricName, exemplar }: MetricValue,
  format: MetricsFormat,
): string {
  const text = `${metricName ?? name}${labelText(labels)} ${numberText(value)}`;
  if (format === 'text' || exemplar === undefined || exemplar === null) return text;
  const { labelSet, value: example, timestamp } = exemplar;
  return `${text} # ${labelText(labelSet) || '{}'} ${numberText(example)} ${timestamp}`;
}

function labelText(labels: Readonly<Record<string, string | number>>): string {
  const all = Object.entries(labels).map(
    ([name, value]) => `${name}="${escape(String(value)).replaceAll('"', '\\"')}"`,
  );
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
