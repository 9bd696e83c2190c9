import { ManualClock } from '@tapline/base';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { commandGroups } from '../commands.ts';
import { runProgram } from '../framework/run-program.ts';

// Refused before anything is asked of a control plane, so none is needed.
test.each([
  ['token create --ttl 0s', '--ttl is 0 ms; it must be at least 1 ms [usage]'],
  ['deploy jq --health-timeout 5s', '--health-timeout is for a check that --health names [usage]'],
  ['deploy jq --segment-label a=b', '--segment-label is for the port in a segment [usage]'],
  ['deploy jq --segment news --network Host', 'are two networks, and a program has one [usage]'],
  ['deploy @1', '"@1" is not FORMULA or FORMULA@VERSION [usage]'],
  ['join http://tapline.example --token t', '"http://tapline.example" is no https URL [usage]'],
])('%s is a usage error', async (line, message) => {
  let errors = '';
  const code = await runProgram(commandGroups, line.split(' '), {
    environment: {},
    clock: new ManualClock(),
    stdin: Readable.from([]),
    signal: new AbortController().signal,
    isTerminal: false,
    columns: 80,
    write: () => undefined,
    note: (text) => void (errors += String(text)),
  });
  expect(code).toBe(2);
  expect(errors).toContain(message);
});
