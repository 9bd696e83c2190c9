import { TaplineError } from '@tapline/base';
import { checkedTarget } from './checked-target.ts';

/** How a control plane is believed and told who scrapes; paths are from the configuration's folder. */
export interface ScrapeIdentity {
  readonly caFile: string;
  /** A token of somebody who may read /metrics: the group `tapline:viewer` is enough. */
  readonly tokenFile: string;
}

interface Common {
  /** `host:port` of Alertmanagers; none: alerts are only shown. */
  readonly alertmanagers: readonly string[];
  /** Such as `15s`. */
  readonly interval: string;
}

export interface SitePrometheus extends Common {
  readonly site: string;
  /** `host:port` of control planes. */
  readonly controlPlanes: readonly string[];
  readonly identity: ScrapeIdentity;
  /** `host:port` of agents whose metrics can be reached from here; they listen on loopback only. */
  readonly agents: readonly string[];
}

export interface GlobalPrometheus extends Common {
  /** The Prometheus servers of sites, `host:port` by the site's name. */
  readonly sites: Readonly<Record<string, string>>;
}

/**
 * More than twice what a control plane shows with every kind of label in use. Beyond, Prometheus drops the
 * whole scrape, which is an alert: a series for each device would otherwise go unnoticed until it is too late.
 */
const limits = {
  sample_limit: 5000,
  label_limit: 20,
  label_name_length_limit: 100,
  label_value_length_limit: 300,
};

/** The configuration of the Prometheus of a site. */
export function sitePrometheus(init: SitePrometheus): unknown {
  const { site, controlPlanes, identity, agents } = init;
  return {
    ...common(init, 'site.rules.yaml', { site: checkedSite(site) }),
    scrape_configs: [
      {
        job_name: 'tapline-control-plane',
        scheme: 'https',
        tls_config: { ca_file: identity.caFile },
        authorization: { type: 'Bearer', credentials_file: identity.tokenFile },
        ...limits,
        static_configs: [{ targets: controlPlanes.map(checkedTarget) }],
      },
      ...(agents.length === 0
        ? []
        : [
            {
              job_name: 'tapline-agents',
              ...limits,
              static_configs: [{ targets: agents.map(checkedTarget) }],
            },
          ]),
    ],
  };
}

/** The configuration of the Prometheus over all sites: it takes what they computed, and nothing else. */
export function globalPrometheus(init: GlobalPrometheus): unknown {
  return {
    ...common(init, 'global.rules.yaml', { level: 'global' }),
    scrape_configs: [
      {
        job_name: 'tapline-sites',
        metrics_path: '/federate',
        // The labels of the site's series are its own, not those of the scrape.
        honor_labels: true,
        params: { 'match[]': ['{__name__=~"site:.*"}'] },
        ...limits,
        static_configs: Object.entries(init.sites).map(([site, target]) => ({
          targets: [checkedTarget(target)],
          labels: { site: checkedSite(site) },
        })),
      },
    ],
  };
}

function common(
  { alertmanagers, interval }: Common,
  rules: string,
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  if (!/^[1-9]\d{0,4}(?:s|m)$/.test(interval)) {
    throw new TaplineError('usage', `interval ${JSON.stringify(interval)} is not as 15s or 1m`);
  }
  return {
    global: {
      scrape_interval: interval,
      evaluation_interval: interval,
      external_labels: labels,
    },
    rule_files: [rules],
    ...(alertmanagers.length > 0 && {
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: alertmanagers.map(checkedTarget) }] }],
      },
    }),
  };
}

function checkedSite(site: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(site)) return site;
  throw new TaplineError('usage', `site ${JSON.stringify(site)} is not 1 to 63 of a-z, 0-9 and -`);
}
