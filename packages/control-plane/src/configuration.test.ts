import { describe, expect, it } from 'vitest';
import { parseControlPlaneConfiguration } from './configuration.ts';

const required = { TAPLINE_DATA_DIRECTORY: '/var/lib/tapline' };

describe('parseControlPlaneConfiguration', () => {
  it('has defaults for all but the data folder', () => {
    expect(parseControlPlaneConfiguration(required)).toMatchObject({
      dataDirectory: '/var/lib/tapline',
      host: '127.0.0.1',
      port: 7443,
      advertisedHosts: [],
      buildConcurrency: 2,
    });
  });

  it('reads lists and durations', () => {
    const configuration = parseControlPlaneConfiguration({
      ...required,
      TAPLINE_ADVERTISED_HOSTS: 'tapline.example, 10.0.0.1,',
      TAPLINE_EVENT_TTL_SECONDS: '60',
    });
    expect(configuration.advertisedHosts).toEqual(['tapline.example', '10.0.0.1']);
    expect(configuration.eventTtlMs).toBe(60_000);
  });

  it.each([
    [{}, 'TAPLINE_DATA_DIRECTORY is not set'],
    [
      { ...required, TAPLINE_PORT: '70000' },
      'TAPLINE_PORT "70000" is not an integer from 0 to 65535',
    ],
    [{ ...required, TAPLINE_PORT: '1e3' }, 'TAPLINE_PORT "1e3" is not an integer from 0 to 65535'],
  ])('refuses %j', (environment, message) => {
    expect(() => parseControlPlaneConfiguration(environment)).toThrow(message);
  });
});
