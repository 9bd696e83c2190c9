import type { ResourceClient } from '@tapline/client';
import { installReport } from '@tapline/gateway';
import { installResource } from '@tapline/resources';
import type { InstallFeed } from './install-feed.ts';

/** The device's Installs by requests to the API, as everybody else makes them. */
export function feedOverApi(client: ResourceClient, device: string): InstallFeed {
  const own = { fieldSelector: `spec.device=${device}` };
  return {
    list: (definition, options) => client.list(definition, { ...options, ...own }),
    watch: (definition, options) => client.watch(definition, { ...options, ...own }),
    async report({ name, uid }, status, options = {}) {
      const report = installReport(uid, status);
      await client.patch(installResource, name, report, { ...options, subresource: 'status' });
    },
  };
}
