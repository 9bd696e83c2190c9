import { execFile } from 'node:child_process';
import { TaplineError } from '@tapline/base';
import {
  type FabricIntent,
  parseSubnet,
  portEndName,
  portMac,
  type PortIntent,
  type SegmentIntent,
} from '@tapline/segments';

/** Batches of `ip` that set up interfaces which are new, in the order in which they run. */
export interface PortBatch {
  /** Namespace to run in; that of this process where absent. */
  readonly namespace?: string;
  readonly lines: readonly string[];
}

/** MAC, MTU, addresses and place of the interfaces with these names. */
export function portBatches(
  intent: FabricIntent,
  options: { readonly node: string; readonly names: ReadonlySet<string> },
): readonly PortBatch[] {
  const { node, names } = options;
  const before: string[] = [];
  const inside = new Map<string | undefined, string[]>();
  for (const segment of intent.segments) {
    for (const port of segment.ports) {
      const name = portEndName(segment.vni, port);
      if (port.node !== node || !names.has(name)) continue;
      // The MAC first: the interface must never be up with another one.
      before.push(
        `link set dev ${name} address ${portMac(segment.vni, port.index)} mtu ${segment.mtu}`,
      );
      const { attach } = port;
      const namespace = attach.kind === 'namespace' ? attach.path : undefined;
      if (namespace !== undefined)
        before.push(`link set dev ${name} netns ${checkPath(namespace)}`);
      const lines = inside.get(namespace) ?? [];
      inside.set(namespace, lines);
      lines.push(...addressLines(name, segment, port), `link set dev ${name} up`);
    }
  }
  return [
    { lines: before },
    ...[...inside].map(([namespace, lines]) => ({
      lines,
      ...(namespace !== undefined && { namespace }),
    })),
  ].filter(({ lines }) => lines.length > 0);
}

function addressLines(name: string, segment: SegmentIntent, port: PortIntent): readonly string[] {
  const subnet = parseSubnet(segment.subnet);
  return port.addresses.map((address) => {
    const family = address.includes(':') ? 6 : 4;
    const alone = family === 4 ? 32 : 64;
    const length = family === subnet.family ? subnet.length : alone;
    // Nobody else can have it, so there is nothing to look for before it is used.
    return `address replace ${address}/${length} dev ${name}${family === 6 ? ' nodad' : ''}`;
  });
}

/** A batch has no quoting: what could be read as more than a path is refused. */
function checkPath(path: string): string {
  if (/^[\w./@:-]{1,200}$/.test(path)) return path;
  throw new TaplineError(
    'namespace_invalid',
    `the path ${JSON.stringify(path)} of a network namespace has characters other than letters, digits and ./@:_-`,
  );
}

/** Runs batches one after the other. Throws `program_failed` with what `ip` said. */
export async function runPortBatches(batches: readonly PortBatch[]): Promise<void> {
  for (const { namespace, lines } of batches) {
    const ip = ['ip', '-batch', '-'];
    // `ip -n` takes names only, not paths.
    const [program = '', ...args] =
      namespace === undefined ? ip : ['nsenter', `--net=${namespace}`, ...ip];
    await runBatch({ program, args, input: `${lines.join('\n')}\n` });
  }
}

function runBatch(batch: {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
}): Promise<void> {
  const { program, args, input } = batch;
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: 20_000 }, (error, _, stderr) => {
      if (error === null) {
        resolve();
        return;
      }
      const detail = stderr.trim().split('\n').slice(-3).join('; ');
      const said = `${program} ${args.join(' ')}: ${detail}`;
      reject(new TaplineError('program_failed', said, { cause: error }));
    });
    // A program that ends early breaks the pipe; its exit code says what was wrong.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
