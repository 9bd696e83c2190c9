import { bashSelfTest } from './bash-self-test.ts';
import { bcSelfTest } from './bc-self-test.ts';
import { gawkSelfTest } from './gawk-self-test.ts';
import { jqSelfTest } from './jq-self-test.ts';
import { sqliteSelfTest } from './sqlite-self-test.ts';
import type { SelfTest } from './self-test.ts';

export const selfTests: readonly SelfTest[] = [
  jqSelfTest,
  bashSelfTest,
  gawkSelfTest,
  bcSelfTest,
  sqliteSelfTest,
];
