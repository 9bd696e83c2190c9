import { dashboards } from '@tapline/monitoring';
import { expect, test } from 'vitest';
import { dashboardDocument } from './dashboard-document.ts';

interface Placed {
  readonly id: number;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly description: string;
}

test.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))(
  'panels of %s lie beside each other and say what they show',
  (_uid, dashboard) => {
    const { panels } = dashboardDocument(dashboard) as unknown as {
      readonly panels: readonly Placed[];
    };
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
    expect(panels.map(({ id }) => id)).toEqual(panels.map((_, at) => at + 1));
    expect(panels.every(({ description }) => description.endsWith('.'))).toBe(true);
  },
);

test('uids stay as they are: alerts and people link to them', () => {
  expect(dashboards.map(({ uid }) => uid)).toEqual([
    'tapline-fleet',
    'tapline-site',
    'tapline-packages',
    'tapline-channel',
    'tapline-segments',
    'tapline-node',
    'tapline-opsbot',
  ]);
});
