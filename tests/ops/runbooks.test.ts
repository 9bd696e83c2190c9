import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtInPlaybooks } from '@tapline/opsbot';
import { expect, test } from 'vitest';

test.each(builtInPlaybooks.map(({ name, spec }) => [name, spec.runbook]))(
  'the runbook of playbook %s is there',
  (_, runbook) => {
    const path = join(import.meta.dirname, `../../docs/runbooks/${runbook}.md`);
    expect(existsSync(path)).toBe(true);
  },
);
