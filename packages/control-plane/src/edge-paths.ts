import { devicePagePath } from '@tapline/gateway';
import { imageKeysPath } from '@tapline/signatures';
import { monitoringPath } from './monitoring/monitoring-endpoint.ts';
import { alertsPath } from './ops/alerts-endpoint.ts';
import { slackPath } from './ops/chat/slack-endpoint.ts';
import { replicationPath } from './registry/replication-endpoint.ts';
import { profilePath } from './enrolment/profile-handler.ts';
import { telemetryMetricsPath, telemetryTracesPath } from './telemetry/telemetry-endpoint.ts';
import { tokenPath } from './registry/registry-tokens.ts';

type EdgePathName =
  | 'api'
  | 'ready'
  | 'registry'
  | 'registryAdmin'
  | 'registryTokens'
  | 'replication'
  | 'replicationPolicy'
  | 'monitoring'
  | 'alerts'
  | 'slack'
  | 'telemetryMetrics'
  | 'telemetryTraces'
  | 'enrol'
  | 'renew'
  | 'challenge'
  | 'imageKeys'
  | 'profiles'
  | 'devicePage'
  | 'sessions';

/** Every path that the control plane serves; one with a slash at its end is everything below it. */
export const edgePaths: Readonly<Record<EdgePathName, string>> = {
  api: '/',
  ready: '/readyz',
  registry: '/v2/',
  registryAdmin: '/registry/v1/',
  registryTokens: tokenPath,
  replication: replicationPath,
  replicationPolicy: `${replicationPath}/`,
  monitoring: monitoringPath,
  alerts: alertsPath,
  slack: slackPath,
  telemetryMetrics: telemetryMetricsPath,
  telemetryTraces: telemetryTracesPath,
  enrol: '/gateway/v1/enrol',
  renew: '/gateway/v1/renew',
  challenge: '/gateway/v1/challenge',
  imageKeys: imageKeysPath,
  profiles: profilePath,
  devicePage: devicePagePath,
  sessions: '/gateway/v1/',
};
