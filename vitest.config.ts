import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LeftOutReporter } from './tools/left-out-reporter.ts';

// Packages without state at the level of modules, and without processes or threads of their own:
// one worker for all their files saves a minute of two processors for importing the same again.
const pure = [
  'apiserver',
  'base',
  'brew',
  'cli',
  'elf',
  'hls',
  'monitoring',
  'oci',
  'profiles',
  'resources',
  'segments',
  'tunnel',
].map((name) => `packages/${name}/src/**/*.test.ts`);

// Two cores: with a third worker real peers answer too late now and then, for three minutes of fifteen.
export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: [
            'packages/*/src/**/*.test.ts',
            'tests/**/*.test.ts',
            'tools/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', ...pure],
        },
      },
    ],
    globalSetup: 'tests/support/build-program.ts',
    reporters: ['default', new LeftOutReporter()],
    // Programs that tests start, and kill before they end, are compiled once and not hundreds of times.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
