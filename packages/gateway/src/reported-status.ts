import type { DeviceStatus } from '@tapline/resources';
import type { DeviceReport } from './session-messages.ts';

/** Fields of Device.status that a device reports of itself. */
export type ReportedStatus = Omit<DeviceStatus, 'presence' | 'conditions'>;

export function reportedStatus(report: DeviceReport): ReportedStatus {
  const { agentVersion, bootId, runtimes, storage, certificateNotAfter } = report;
  return {
    agentVersion,
    bootId,
    runtimes: [...runtimes],
    ...(storage === undefined ? {} : { storage }),
    ...(certificateNotAfter === undefined ? {} : { certificateNotAfter }),
  };
}
