import { describe, expect, test } from 'vitest';
import { BulkWindow } from './bulk-window.ts';
import { headerBytes } from './frame.ts';
import { simulateBottleneck } from './testing/bottleneck.ts';

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('alone at a bottleneck', () => {
  test.each([
    [100, 0.2],
    [10, 20],
    [100, 20],
    [100, 60],
    [50, 120],
  ])('of %d Mbit/s behind %d ms: it is full, and the queue short', (mbitPerSecond, rttMs) => {
    const { shares, queueMs } = simulateBottleneck({
      mbitPerSecond,
      rttMs,
      bufferMs: 50,
      seconds: 8,
    });
    const settled = queueMs.slice(300);
    expect(mean(shares.slice(5))).toBeGreaterThan(0.93);
    // A frame is 1.6 ms of it at 10 Mbit/s, and far away what was added shows late.
    const harder = mbitPerSecond === 10 || rttMs >= 60;
    expect(quantile(settled, 0.99)).toBeLessThan(harder ? 12 : 7);
  });

  test('the path becomes longer: the bottleneck is full again, without a queue that stays', () => {
    const window = new BulkWindow({ mostBytes: 1_048_576 });
    let now = 0;
    const run = (rttMs: number, seconds: number): void => {
      for (let step = 0; step < (seconds * 1000) / 2; step += 1) {
        now += 2;
        window.limited();
        window.acknowledged(16_384, now - rttMs, now);
      }
    };
    run(20, 3);
    expect(window.minRttMs).toBe(20);
    run(60, 20);
    expect(window.minRttMs).toBe(60);
    expect(window.isByRate).toBe(false);
  });
});

describe('where the receiving machine has other things to do', () => {
  test.each([100, 1000])('%d Mbit/s: for some ms, the path does not run empty', (mbitPerSecond) => {
    const { shares, queueMs } = simulateBottleneck({
      mbitPerSecond,
      rttMs: 0.2,
      bufferMs: 50,
      seconds: 3,
      stalls: { everyMs: 10, ms: 3 },
    });
    expect(mean(shares.slice(1))).toBeGreaterThan(0.88);
    expect(quantile(queueMs.slice(100), 0.99)).toBeLessThan(3);
  });
});

describe('beside a flow that fills the queue', () => {
  test.each([0.2, 20])('behind %d ms: neither starves, and it goes back after', (rttMs) => {
    const { shares, queueMs, window } = simulateBottleneck({
      mbitPerSecond: 50,
      rttMs,
      bufferMs: 50,
      seconds: 26,
      competitor: { from: 3, to: 14 },
    });
    const together = mean(shares.slice(5, 14));
    expect(together).toBeGreaterThan(0.12);
    expect(together).toBeLessThan(0.85);
    expect(mean(shares.slice(22))).toBeGreaterThan(0.93);
    expect(quantile(queueMs.slice(2300), 0.99)).toBeLessThan(10);
    expect(window.isByRate).toBe(false);
  });
});

describe('with 1 % of segments lost', () => {
  test.each([
    [20, 0.8],
    [60, 0.65],
    [120, 0.6],
  ])('behind %d ms: what waits behind lost ones does not starve bulk', (rttMs, least) => {
    const { shares } = simulateBottleneck({
      mbitPerSecond: 100,
      rttMs,
      bufferMs: 50,
      seconds: 12,
      loss: 0.01,
    });
    expect(mean(shares.slice(3))).toBeGreaterThan(least);
  });
});

test('on a fast path a frame with its header is a record of TLS', () => {
  const { window } = simulateBottleneck({
    mbitPerSecond: 1000,
    rttMs: 0.2,
    bufferMs: 50,
    seconds: 1,
  });
  expect(window.frameBytes + headerBytes).toBe(16_384);
});

test('another path is begun with little', () => {
  const { window } = simulateBottleneck({
    mbitPerSecond: 100,
    rttMs: 20,
    bufferMs: 50,
    seconds: 2,
  });
  expect(window.bytesAt(2000)).toBeGreaterThan(200_000);
  window.restart(2000);
  expect(window.bytesAt(2000)).toBe(65_536);
  expect(window.minRttMs).toBe(0);
});
