import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import {
  type FileContent,
  imageTree,
  type LinkStep,
  planLinks,
  runInstallSteps,
  StepFailure,
  type StepLeftOut,
  treeChanges,
  type UnlinkedKeg,
} from '@tapline/brew';
import { errorMessage } from '@tapline/base';
import type { PouredKeg } from './build-link-layer.ts';
import type { LayerSink } from './layer-sink.ts';
import type { ProgramSandbox } from './post-install/program-sandbox.ts';
import { readKegFiles } from './read-keg-files.ts';

export interface FinishedPrefix {
  /** What the link layer holds below the prefix. */
  readonly steps: readonly LinkStep[];
  readonly unlinked: readonly UnlinkedKeg[];
  readonly leftOut: readonly StepLeftOut[];
}

const gunzipBytes = promisify(gunzipCallback);
const maxUnpackedBytes = 256 * 1024 * 1024;

export interface FinishOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where steps that run programs run them; absent they are left out. */
  readonly programs?: ProgramSandbox | undefined;
  /** Of the image, as OCI names it. */
  readonly architecture?: string;
}

/** Links the kegs and does what their formulae want done then. Throws `link_conflict`. */
export async function finishPrefix(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  options: FinishOptions,
): Promise<FinishedPrefix> {
  const { steps, unlinked } = planLinks(kegs);
  const formulae = kegs
    .filter(({ postInstall }) => postInstall.length > 0)
    .map((keg) => ({ ...keg, steps: keg.postInstall }));
  if (formulae.length === 0) return { steps, unlinked, leftOut: [] };
  const tree = imageTree(kegs, steps);
  const { programs, architecture = '', signal } = options;
  await using sandbox = programs?.open({ sink, kegs, architecture, signal });
  const leftOut = await runInstallSteps(tree, formulae, {
    read: (content) => readContent(sink, kegs, content, options),
    gunzip,
    ...(sandbox !== undefined && { run: (...step) => sandbox.run(...step) }),
  });
  return { steps: treeChanges(tree, kegs), unlinked, leftOut };
}

async function readContent(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  content: FileContent,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  if (content.kind === 'bytes') return content.bytes;
  const files = await readKegFiles(sink, kegs, [content], options);
  return files.get(`${content.formula}/${content.path}`)?.data ?? new Uint8Array();
}

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await gunzipBytes(bytes, { maxOutputLength: maxUnpackedBytes });
  } catch (error) {
    throw new StepFailure(`no gzip of up to ${maxUnpackedBytes} bytes: ${errorMessage(error)}`);
  }
}
