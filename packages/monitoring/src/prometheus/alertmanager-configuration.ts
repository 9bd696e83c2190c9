/**
 * The configuration of an Alertmanager: one notification for what has one cause, critical ones sooner,
 * and none for a site's details while the whole site is away.
 */
export function alertmanagerConfiguration({
  webhookUrl,
}: {
  /** Where alerts go as JSON; absent: they are shown by Alertmanager and go nowhere. */
  readonly webhookUrl: string | undefined;
}): unknown {
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
        ...(webhookUrl !== undefined && {
          webhook_configs: [{ url: webhookUrl, send_resolved: true }],
        }),
      },
    ],
  };
}
