// Public API; named exports only.
export { dashboards } from './grafana/dashboards.ts';
export type { Dashboard, Panel, Variable } from './grafana/panel.ts';
export { createIcingaClient, type IcingaClient } from './icinga/create-icinga-client.ts';
export type { IcingaEndpoint } from './icinga/icinga-endpoint.ts';
export { type IcingaName, parseIcingaName } from './icinga/icinga-name.ts';
export type { IcingaInfo } from './icinga/icinga-objects.ts';
export { icingaPermissions, missingPermissions } from './icinga/icinga-permissions.ts';
export {
  type IcingaMonitoring,
  type IcingaMonitoringStatus,
  startIcingaMonitoring,
} from './icinga-monitoring.ts';
export { alertmanagerConfiguration } from './prometheus/alertmanager-configuration.ts';
export { globalRules } from './prometheus/global-rules.ts';
export { globalPrometheus, sitePrometheus } from './prometheus/prometheus-configuration.ts';
export { rulesDocument } from './prometheus/rules-document.ts';
export { siteRules } from './prometheus/site-rules.ts';
export type { ObjectId, ObjectState, StateChange } from './events/object-state.ts';
export { checkLine } from './registration/check-line.ts';
export type {
  CheckOutcome,
  MonitoredCheck,
  MonitoredHost,
  PerformanceValue,
} from './registration/monitored-host.ts';
export type { ActiveChecks, Placement } from './registration/registration-config.ts';
