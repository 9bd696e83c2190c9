import { readFile } from 'node:fs/promises';
import { magic } from '../support/traffic-classes.ts';
import { debianMachine } from './debian-machine.ts';
import { runMachine } from './run-machine.ts';
import { vmPorts } from './vm-fabric.ts';
import type { VmAnswer, VmStep } from './vm-steps.ts';

const modules = [
  'cls_flower',
  'act_skbedit',
  'sch_ingress',
  'veth',
  'bridge',
  'vxlan',
  'af_packet',
  'nf_tables',
  'nft_meta_bridge',
  'nft_xfrm',
  'nft_rt',
  'nft_counter',
  'xfrm_user',
  'esp4',
  'macsec',
  'gcm',
  'ctr',
  'seqiv',
  'aes_generic',
  'cryptd',
  'crypto_simd',
  'hmac',
  'sha256_generic',
  'sha512_generic',
  'jitterentropy_rng',
  // Without a random generator there are no initialisation vectors.
  'drbg',
  'echainiv',
  'ghash_generic',
  'aesni_intel',
  'ghash_clmulni_intel',
];

/** Runs steps in a machine that the script has set up; the answers by the steps' names. */
export async function runSteps(
  setUp: string,
  steps: readonly VmStep[],
  interfaces: readonly string[] = vmPorts.map(({ index }) => `e${index}`),
): Promise<ReadonlyMap<string, VmAnswer>> {
  const plan = {
    ports: interfaces.map((name, number) => [`/run/netns/w${number + 1}`, name]),
    watch: '/run/netns/r',
    magic,
    steps,
  };
  const driver = await readFile(new URL('vm-driver.py', import.meta.url));
  const run = await runMachine(await debianMachine(), {
    modules,
    files: [
      { path: 'driver.py', kind: 'file', content: driver },
      { path: 'plan.json', kind: 'file', content: Buffer.from(JSON.stringify(plan)) },
    ],
    script: `${setUp}\nsleep 1\npython3.11 -S /driver.py /plan.json`,
    withinMs: 280_000,
  });
  const answers = run.lines.map((line): VmAnswer => JSON.parse(line));
  return new Map(answers.map((answer) => [answer.name, answer]));
}

export function answerOf(answers: ReadonlyMap<string, VmAnswer>, name: string): VmAnswer {
  const answer = answers.get(name);
  if (answer === undefined) throw new Error(`no answer to ${name}`);
  return answer;
}
