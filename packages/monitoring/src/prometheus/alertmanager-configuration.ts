import { checkedTarget } from './checked-target.ts';

/** OpsBot in control planes, and how Alertmanager believes them and says who it is. */
export interface OpsBotReceiver {
  /** `host:port`. */
  readonly controlPlanes: readonly string[];
  /** Paths are from the configuration's folder. */
  readonly caFile: string;
  /** A token of the group `tapline:alertmanager`, which may send alerts and nothing else. */
  readonly tokenFile: string;
}

/**
 * The configuration of an Alertmanager: one notification for what has one cause, critical ones sooner,
 * and none for a site's details while the whole site is away.
 */
export function alertmanagerConfiguration({
  webhookUrl,
  opsBot,
}: {
  /** Where alerts go as JSON; absent, and without OpsBot: they are shown by Alertmanager and go nowhere. */
  readonly webhookUrl: string | undefined;
  readonly opsBot?: OpsBotReceiver | undefined;
}): unknown {
  const webhooks = [
    ...(webhookUrl === undefined ? [] : [{ url: webhookUrl, send_resolved: true }]),
    ...(opsBot?.controlPlanes ?? []).map((target) => ({
      url: `https://${checkedTarget(target)}/ops/v1/alerts`,
      send_resolved: true,
      http_config: {
        authorization: { type: 'Bearer', credentials_file: opsBot?.tokenFile },
        tls_config: { ca_file: opsBot?.caFile },
      },
    })),
  ];
  return {
    route: {
      receiver: 'tapline',
      group_by: ['site', 'alertname'],
      group_wait: '10s',
      group_interval: '1m',
      repeat_interval: '4h',
      routes: [{ matchers: ['severity="critical"'], receiver: 'tapline', group_wait: '0s' }],
    },
    inhibit_rules: [
      {
        source_matchers: ['alertname="TaplineSiteGone"'],
        target_matchers: ['product="tapline"', 'alertname!="TaplineSiteGone"'],
        equal: ['site'],
      },
      {
        source_matchers: ['alertname="TaplineControlPlaneDown"'],
        target_matchers: ['product="tapline"', 'severity="warning"'],
        equal: ['site'],
      },
    ],
    receivers: [
      {
        name: 'tapline',
        ...(webhooks.length > 0 && { webhook_configs: webhooks }),
      },
    ],
  };
}
