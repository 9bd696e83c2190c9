import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a test run with what was left out and why (the reason stands in the suite's title), and with
 * the line `N passed, N failed, N skipped`, also written to the file TAPLINE_TEST_SUMMARY names.
 */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    const leftOut = new Map<string, number>();
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state] += 1;
        if (state !== 'skipped') continue;
        const suite = test.parent.type === 'suite' ? test.parent.fullName : test.name;
        const line = `${suite} in ${module.relativeModuleId}`;
        leftOut.set(line, (leftOut.get(line) ?? 0) + 1);
      }
      // A module that does not load has no failed test to count.
      if (module.state() === 'failed' && counts.failed === before) counts.failed += 1;
    }
    for (const [line, tests] of leftOut)
      process.stdout.write(`left out: ${line}: ${tests} tests\n`);
    const summary = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
    process.stdout.write(summary);
    const file = process.env['TAPLINE_TEST_SUMMARY'];
    if (file !== undefined) writeFileSync(file, summary);
  }
}
