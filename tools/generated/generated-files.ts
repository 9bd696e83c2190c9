import { cliReference } from './cli-reference.ts';

export interface GeneratedFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

/** Every file that derives from declarations; a test holds them to what is committed. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  return [{ path: 'docs/reference/cli.md', text: await cliReference() }];
}
