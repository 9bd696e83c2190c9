import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { cacheEngineContract } from '../testing/cache-engine-contract.ts';
import { generateVcl } from './generate-vcl.ts';
import { startVarnish } from './start-varnish.ts';

/** Tests change their configuration often: it need not be fast code. */
const compile = 'cc_command=exec gcc -O0 -w -pthread -fPIC -shared -Wl,-x -o %o %s';

describe.skipIf(!haveProgram('varnishd'))('with varnishd', () => {
  cacheEngineContract('varnish', async (channels) => {
    const folder = await temporaryFolder();
    const engine = await startVarnish({ channels, directory: folder.path, parameters: [compile] });
    return {
      ...engine,
      async [Symbol.asyncDispose]() {
        await engine[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  });
});

test.each([
  [{ prefix: '/a"b/' }, /prefix/],
  [{ hosts: ['a"; }'] }, /host/],
  [{ originHost: 'x\ny' }, /originHost/],
  [{ origins: ['https://origin.example'] }, /http:\/\//],
])('%j does not get into VCL', (settings, problem) => {
  const channel = channelSettings({
    name: 'news',
    origins: ['http://origin.example'],
    ...settings,
  });
  const input = { channels: [channel], name: 'edge', secret: 'x', xkey: true };
  expect(() => generateVcl(input)).toThrow(problem);
});
