import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { prepareSelfTest } from './prepare-self-test.ts';
import { selfTestRunner } from './run-self-test.ts';
import { selfTests } from './self-test-list.ts';

// node tests/userland/self-tests/measure-self-tests.ts bash [TEST…]: a line for each, those left out, too.
const [program = '', ...wanted] = process.argv.slice(2);
const timeoutMs = Number(process.env['TAPLINE_SELF_TEST_MS'] ?? 120_000);
const outputs = process.env['TAPLINE_SELF_TEST_OUTPUTS'];

const selfTest = selfTests.find(({ name }) => name === program);
if (selfTest === undefined) {
  throw new RangeError(`${program}: one of ${selfTests.map(({ name }) => name).join(', ')}`);
}
await using folder = await temporaryFolder();
const all = await prepareSelfTest(folder.path, selfTest);
const runner = selfTestRunner(folder.path, { selfTest, timeoutMs });
for (const test of wanted.length > 0 ? wanted : all) {
  console.log(`${test.padEnd(24)} ${await row(test)}`);
}

async function row(test: string): Promise<string> {
  try {
    const { ours, theirs, unknown, ourMs, theirMs } = await runner.run(test);
    const times = `${Math.round(ourMs)} ms, qemu ${Math.round(theirMs)} ms`;
    const missed = unknown.length > 0 ? `, unknown calls ${unknown.join(' ')}` : '';
    const passes = selfTest?.passes.test(theirs) === true ? 'passes' : 'fails under qemu';
    if (ours === theirs) return `same, ${passes}, ${times}${missed}`;
    if (outputs !== undefined) {
      writeFileSync(join(outputs, `${program}-${test}.ours`), ours, 'latin1');
      writeFileSync(join(outputs, `${program}-${test}.qemu`), theirs, 'latin1');
    }
    const again = runner.qemu(test).output === theirs ? '' : ', and qemu from itself';
    return `DIFFERS${again}, ${passes}, ${times}${missed}`;
  } catch (error) {
    return `NOT ENDED: ${String(error)}`;
  }
}
