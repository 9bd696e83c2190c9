import { formatDuration } from '@tapline/base';

export interface WaterfallStage {
  readonly name: string;
  readonly seconds: number;
  /** The slow end over several devices. */
  readonly p99Seconds?: number;
}

const blocks = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** The stages of a delivery below one another, each bar beginning where the one above it ends. */
export function formatWaterfall(stages: readonly WaterfallStage[], width = 40): string {
  const total = stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const several = stages.some((stage) => stage.p99Seconds !== undefined);
  const nameWidth = Math.max(5, ...stages.map((stage) => stage.name.length));
  let begun = 0;
  const lines = stages.map((stage) => {
    const start = total === 0 ? 0 : (begun / total) * width;
    const length = total === 0 ? 0 : (stage.seconds / total) * width;
    begun += stage.seconds;
    const slow = !several
      ? ''
      : (stage.p99Seconds === undefined ? '' : formatDuration(stage.p99Seconds * 1000)).padStart(
          10,
        );
    const time = formatDuration(stage.seconds * 1000).padStart(10);
    return `  ${stage.name.padEnd(nameWidth)}${time}${slow}  ${' '.repeat(Math.floor(start))}${bar(length)}`.trimEnd();
  });
  const header = several
    ? [`  ${'stage'.padEnd(nameWidth)}${'p50'.padStart(10)}${'p99'.padStart(10)}`]
    : [];
  const sum = `  ${'total'.padEnd(nameWidth)}${formatDuration(total * 1000).padStart(10)}`;
  return `${[...header, ...lines, sum].join('\n')}\n`;
}

/** A bar of that many columns, to an eighth of one; what took any time shows. */
function bar(length: number): string {
  const eighths = Math.max(length > 0 ? 1 : 0, Math.round(length * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (blocks[eighths % 8] ?? '');
}
