import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const folder = 'packages/gateway';

/** TypeScript of the protobuf services, from their .proto files; which are checked on the way. */
export function protobufServices(
  root: string,
): readonly { readonly path: string; readonly text: string }[] {
  const programs = join(root, 'node_modules', '.bin');
  const output = mkdtempSync(join(tmpdir(), 'protobuf-'));
  const options = {
    cwd: join(root, folder),
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH']}` },
  };
  try {
    execFileSync(join(programs, 'buf'), ['lint'], options);
    execFileSync(join(programs, 'buf'), ['generate', '--output', output], options);
    return globSync('**/*.ts', { cwd: output }).map((path) => ({
      path: `${folder}/${path}`,
      text: readFileSync(join(output, path), 'utf8'),
    }));
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
