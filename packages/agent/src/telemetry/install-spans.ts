import type { Rng } from '@tapline/base';
import { newSpanId, parseTraceParent, type Span } from '@tapline/telemetry';

const stages = ['pulled', 'unpacked', 'started', 'ready'] as const;

/** The stages of an attempt that has ended, below the span that the Install names; none where it names none. */
export function installSpans(
  about: {
    readonly traceParent: string | undefined;
    readonly device: string;
    readonly install: string;
    readonly revision: number;
    /** Seconds of each stage, from the end of the one before. */
    readonly stages: Readonly<Record<string, number>>;
    readonly error: string | undefined;
    /** When it ended, by this device's clock. */
    readonly endMs: number;
    readonly seconds: number;
  },
  rng: Rng,
): readonly Span[] {
  const parent = parseTraceParent(about.traceParent);
  if (parent === undefined) return [];
  const attributes = {
    'tapline.device': about.device,
    'tapline.install': about.install,
    'tapline.revision': about.revision,
  };
  let startMs = about.endMs - about.seconds * 1000;
  const made = stages.flatMap((name): readonly Span[] => {
    const seconds = about.stages[name];
    if (seconds === undefined) return [];
    const from = startMs;
    startMs += seconds * 1000;
    return [span({ name, startMs: from, endMs: startMs })];
  });
  if (about.error === undefined) return made;
  return [
    ...made,
    { ...span({ name: 'failed', startMs, endMs: about.endMs }), error: about.error },
  ];

  function span(of: Pick<Span, 'name' | 'startMs' | 'endMs'>): Span {
    return {
      traceId: parent?.traceId ?? '',
      spanId: newSpanId(rng),
      parentSpanId: parent?.spanId,
      attributes,
      ...of,
    };
  }
}
