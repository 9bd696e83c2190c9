import type { Finding } from './finding.ts';
import { judgeClock } from './judge-clock.ts';
import { judgeConnection } from './judge-connection.ts';
import { judgeDevice } from './judge-device.ts';
import { judgeName } from './judge-name.ts';
import { judgePathMtu } from './judge-path-mtu.ts';
import { judgeTunnel } from './judge-tunnel.ts';
import type { PathObservation } from './path-observation.ts';

/** All findings, in the order in which one thing rests on another. */
export function judgePath(seen: PathObservation): readonly Finding[] {
  return [
    ...judgeName(seen),
    ...judgeConnection(seen),
    ...judgeClock(seen),
    ...judgeTunnel(seen),
    ...judgePathMtu(seen),
    ...judgeDevice(seen),
  ];
}
