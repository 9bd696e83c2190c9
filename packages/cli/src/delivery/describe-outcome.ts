import { formatBytes, formatDuration } from '@tapline/base';
import { type Delivery, type Install, packageStages, stages } from '@tapline/resources';
import { formatWaterfall, type WaterfallStage } from './format-waterfall.ts';

/** What a finished delivery did, in a sentence and a waterfall. */
export function describeOutcome(delivery: Delivery, installs: readonly Install[]): string {
  const { status } = delivery;
  const ready = installs.filter((install) => install.status?.state === 'Ready');
  const waterfall = waterfallStages(delivery);
  const total = waterfall.reduce((sum, stage) => sum + stage.seconds, 0);
  const fetched = ready.reduce((sum, install) => sum + (install.status?.fetchedBytes ?? 0), 0);
  const devices = `${ready.length} ${ready.length === 1 ? 'device' : 'devices'}`;
  const offline = status?.counts?.offline ?? 0;
  const notes = [
    `revision ${status?.revision ?? 0}`,
    fetched === 0 ? 'nothing to fetch' : `${formatBytes(fetched)} fetched`,
    ...(offline === 0 ? [] : [`${offline} offline, will converge when they return`]),
  ];
  const formula = `${delivery.spec.package.formula} ${status?.version ?? ''}`.trim();
  return `${formula} is ready on ${devices} in ${formatDuration(total * 1000)} (${notes.join(', ')})\n\n${formatWaterfall(waterfall)}`;
}

/** The stages in order: the package's own times, then the devices' p50 and p99. */
export function waterfallStages(delivery: Delivery): readonly WaterfallStage[] {
  const { status } = delivery;
  const several = (status?.counts?.ready ?? 0) > 1;
  return stages.flatMap((name): readonly WaterfallStage[] => {
    if (packageStages.includes(name)) {
      const seconds = status?.packageStages?.[name];
      return seconds === undefined ? [] : [{ name, seconds }];
    }
    const fleet = status?.stages?.find((stage) => stage.name === name);
    if (fleet === undefined) return [];
    return [
      { name, seconds: fleet.p50Seconds, ...(several ? { p99Seconds: fleet.p99Seconds } : {}) },
    ];
  });
}
