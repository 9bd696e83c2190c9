import { expect, test } from 'vitest';
import { Scheduler } from './scheduler.ts';
import type { StreamClass } from './open-body.ts';

interface Fake {
  readonly name: string;
  readonly class: StreamClass;
  deadlineAtMs: number;
  scheduled: boolean;
  deficit: number;
}

function fake(name: string, streamClass: StreamClass, deadlineAtMs = 0): Fake {
  return { name, class: streamClass, deadlineAtMs, scheduled: false, deficit: 0 };
}

/** What goes in so many turns of frames of 4 KiB, at one moment. */
function turns(scheduler: Scheduler<Fake>, count: number, nowMs = 0): readonly string[] {
  return Array.from({ length: count }, () => {
    const stream = scheduler.urgent(nowMs) ?? scheduler.ordinary();
    if (stream !== undefined) scheduler.sent(stream, 4096);
    return stream?.name ?? '';
  });
}

const rates = { controlBytesPerSecond: 16 * 8192, interactiveBytesPerSecond: 16 * 8192 };

test('control goes in turn, then the earliest deadline, then bulk', () => {
  const scheduler = new Scheduler<Fake>({
    controlBytesPerSecond: 1e9,
    interactiveBytesPerSecond: 1e9,
  });
  const late = fake('late', 'interactive', 30);
  const [first, second] = [fake('c1', 'control'), fake('c2', 'control')];
  for (const one of [fake('b', 'bulk'), late, fake('soon', 'interactive', 10), first, second]) {
    scheduler.add(one);
  }
  expect(turns(scheduler, 3)).toEqual(['c1', 'c2', 'c1']);
  scheduler.remove(first);
  scheduler.remove(second);
  expect(turns(scheduler, 2)).toEqual(['soon', 'soon']);
  late.deadlineAtMs = 5;
  expect(turns(scheduler, 1)).toEqual(['late']);
});

test('bulk streams get the same, however large their frames are', () => {
  const scheduler = new Scheduler<Fake>(rates);
  const sizes: Readonly<Record<string, number>> = { a: 16_384, b: 4096, c: 1024 };
  const sent: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (const name of Object.keys(sizes)) scheduler.add(fake(name, 'bulk'));
  for (let turn = 0; turn < 700; turn += 1) {
    const stream = scheduler.ordinary();
    if (stream === undefined) throw new Error('nothing to send');
    const bytes = sizes[stream.name] ?? 0;
    sent[stream.name] = (sent[stream.name] ?? 0) + bytes;
    scheduler.sent(stream, bytes);
  }
  const shares = Object.values(sent);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * 16_384);
});

test.each(['control', 'interactive'] as const)(
  '%s beyond its rate takes turns with bulk',
  (kind) => {
    const scheduler = new Scheduler<Fake>(rates);
    scheduler.add(fake('urgent', kind));
    scheduler.add(fake('bulk', 'bulk'));
    // A sixteenth of a second's worth at once: two frames.
    expect(turns(scheduler, 6)).toEqual(['urgent', 'urgent', 'bulk', 'urgent', 'bulk', 'urgent']);
    expect(turns(scheduler, 2, 1000)).toEqual(['urgent', 'urgent']);
  },
);

test('control beyond its rate has all of it where there is nothing else', () => {
  const scheduler = new Scheduler<Fake>(rates);
  scheduler.add(fake('urgent', 'control'));
  expect(new Set(turns(scheduler, 50))).toEqual(new Set(['urgent']));
});
