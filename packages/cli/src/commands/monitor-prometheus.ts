import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TaplineError } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { listFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';

export const monitorPrometheus: Command = defineCommand({
  summary: 'Write the configuration of a Prometheus: of a site, or of the level over all sites',
  description:
    'With --site it scrapes control planes and computes what the site is; with --federate it takes that from sites and nothing else. Rules, alerts and limits come along, and a configuration for Alertmanager. docs/guides/monitoring.md.',
  examples: [
    {
      command:
        'tapline monitor prometheus site-a/ --site site-a --control-plane 10.0.0.5:7443 --alertmanager 10.0.0.6:9093',
      explains: 'then prometheus --config.file site-a/prometheus.yaml',
    },
    {
      command:
        'tapline monitor prometheus global/ --federate site-a=10.0.0.5:9090 --federate site-b=10.1.0.5:9090',
      explains: 'over two sites',
    },
  ],
  positionals: [{ name: 'DIR', description: 'where to write; what is there goes', required: true }],
  flags: {
    site: textFlag('The name of the site', { valueName: 'NAME' }),
    controlPlane: listFlag('A control plane to scrape', { valueName: 'HOST:PORT' }),
    agent: listFlag('An agent whose metrics can be reached: it listens on loopback only', {
      valueName: 'HOST:PORT',
    }),
    federate: listFlag('The Prometheus of a site', { valueName: 'SITE=HOST:PORT' }),
    alertmanager: listFlag('Where alerts go', { valueName: 'HOST:PORT' }),
    webhook: textFlag('Where Alertmanager sends alerts as JSON', { valueName: 'URL' }),
    opsTokenFile: textFlag(
      'A token of the group tapline:alertmanager, as Alertmanager finds it: alerts go to OpsBot in the control planes, too',
      { valueName: 'FILE' },
    ),
    interval: textFlagWithDefault('How often it looks', { valueName: 'TIME', default: '15s' }),
    caFile: textFlagWithDefault('The authority of the control plane, as Prometheus finds it', {
      valueName: 'FILE',
      default: 'ca.pem',
    }),
    tokenFile: textFlagWithDefault('A token of the group tapline:viewer, as Prometheus finds it', {
      valueName: 'FILE',
      default: 'token',
    }),
  },
  async run({ console, positionals: [folder = ''], flags }) {
    const monitoring = await import('@tapline/monitoring');
    const { stringify } = await import('yaml');
    const { site, caFile, tokenFile, interval, webhook, alertmanager: alertmanagers } = flags;
    if ((site === undefined) === (flags.federate.length === 0)) {
      throw new TaplineError('usage', 'it is a site, or it is over sites', {
        hint: 'give --site with --control-plane, or --federate for each site',
      });
    }
    if (site === undefined && flags.opsTokenFile !== undefined) {
      throw new TaplineError(
        'usage',
        '--ops-token-file is for a site: OpsBot is in control planes',
      );
    }
    if (site !== undefined && flags.controlPlane.length === 0) {
      throw new TaplineError('usage', `no --control-plane of site ${site} is given`);
    }
    const level = site === undefined ? 'global' : 'site';
    const common = { alertmanagers, interval };
    const documents = {
      'prometheus.yaml':
        site === undefined
          ? monitoring.globalPrometheus({ ...common, sites: sitesOf(flags.federate) })
          : monitoring.sitePrometheus({
              ...common,
              site,
              controlPlanes: flags.controlPlane,
              agents: flags.agent,
              identity: { caFile, tokenFile },
            }),
      [`${level}.rules.yaml`]: monitoring.rulesDocument(
        level === 'site' ? monitoring.siteRules : monitoring.globalRules,
      ),
      'alertmanager.yaml': monitoring.alertmanagerConfiguration({
        webhookUrl: webhook,
        opsBot:
          flags.opsTokenFile === undefined
            ? undefined
            : { controlPlanes: flags.controlPlane, caFile, tokenFile: flags.opsTokenFile },
      }),
    };
    await mkdir(folder, { recursive: true });
    for (const [name, document] of Object.entries(documents)) {
      const path = join(folder, name);
      await writeFile(path, stringify(document, { lineWidth: 0 }));
      console.write(`${path}\n`);
    }
    if (site !== undefined) {
      console.note(
        `next: tapline token create --user prometheus --group tapline:viewer --ttl 90d > ${join(folder, tokenFile)}\n`,
      );
      if (flags.opsTokenFile !== undefined) {
        console.note(
          `and: tapline token create --user alertmanager --group tapline:alertmanager --ttl 90d > ${join(folder, flags.opsTokenFile)}\n`,
        );
      }
    }
    return exitCode.ok;
  },
});

function sitesOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, site, target] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (site !== undefined && target !== undefined) return [site, target];
      throw new TaplineError('usage', `${JSON.stringify(text)} is no site`, {
        hint: 'write it as site-a=prometheus.site-a.example:9090',
      });
    }),
  );
}
