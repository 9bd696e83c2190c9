import { expect, test } from 'vitest';
import { parseService } from './parse-service.ts';
import { serviceSchema } from './service-schema.ts';

const prefix = '/home/linuxbrew/.linuxbrew';
const parse = (json: unknown): unknown => parseService(serviceSchema.parse(json));

test('all that a formula says of its service is kept, with places filled in', () => {
  expect(
    parse({
      name: { macos: 'org.example.it', linux: 'it-daemon' },
      run: { macos: ['/bin/false'], linux: ['$HOMEBREW_PREFIX/opt/it/bin/it', '--foreground'] },
      run_type: 'cron',
      cron: '5 * * * *',
      keep_alive: { crashed: true },
      launch_only_once: true,
      require_root: true,
      environment_variables: { PATH: '$HOMEBREW_PREFIX/bin', HOME: '/$HOME' },
      working_dir: '$HOMEBREW_PREFIX/var',
      root_dir: '$HOMEBREW_CELLAR/it',
      input_path: '/dev/null',
      log_path: '$HOMEBREW_PREFIX/var/log/it.log',
      error_log_path: '$HOMEBREW_PREFIX/var/log/it.err',
      restart_delay: 5,
      throttle_interval: 30,
      stop_timeout: 0,
      nice: -5,
      process_type: 'background',
      macos_legacy_timers: true,
      sockets: 'tcp://127.0.0.1:80',
    }),
  ).toEqual({
    unit: 'it-daemon',
    command: [`${prefix}/opt/it/bin/it`, '--foreground'],
    keepAlive: true,
    keepAliveWhile: { crashed: true },
    schedule: { kind: 'cron', cron: '5 * * * *' },
    once: true,
    root: true,
    environment: { PATH: `${prefix}/bin`, HOME: '/home/nonroot' },
    workingDirectory: `${prefix}/var`,
    rootDirectory: `${prefix}/Cellar/it`,
    inputPath: '/dev/null',
    logPath: `${prefix}/var/log/it.log`,
    errorLogPath: `${prefix}/var/log/it.err`,
    restartDelaySeconds: 5,
    throttleSeconds: 30,
    stopTimeoutSeconds: 0,
    nice: -5,
    processType: 'background',
    sockets: { listeners: 'tcp://127.0.0.1:80' },
  });
});

test.each([
  [{ run: ['/a'] }, { command: ['/a'], keepAlive: false }],
  [
    { run: '/a', keep_alive: { always: true } },
    { command: ['/a'], keepAlive: true },
  ],
  [
    { run: '/a', keep_alive: { always: false } },
    { command: ['/a'], keepAlive: false },
  ],
  [
    { run: '/a', run_type: 'interval', interval: 60 },
    { command: ['/a'], keepAlive: false, schedule: { kind: 'interval', seconds: 60 } },
  ],
  [
    { run: '/a', run_type: 'immediate', cron: '* * * * *' },
    { command: ['/a'], keepAlive: false },
  ],
  [{ name: { linux: 'dbus' } }, { unit: 'dbus' }],
  [{ run: { macos: ['/a'] } }, undefined],
  [{ name: { macos: 'org.example' } }, undefined],
])('%j', (json, expected) => {
  expect(parse(json)).toEqual(expected);
});
