import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { startControlPlaneProcess } from '../../tests/support/control-plane-process.ts';
import { startDeviceProcess } from '../../tests/support/device-process.ts';
import { runTapline } from '../../tests/support/run-tapline.ts';
import { freePort, query, startPrometheus } from '../../tests/support/start-prometheus.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';

const agents = 10;
/** So often that ten send as much as a thousand that send every thirty seconds. */
const everyMs = 300;
const seconds = 20;
const clockTicks = 100;

/**
 * What metrics of a thousand devices cost the gateway that their tunnels end at: real agents write through
 * their tunnels, and the control plane passes it on to a real Prometheus.
 */
export async function gatewayRows(): Promise<readonly BenchmarkRow[]> {
  if (!haveProgram('prometheus')) throw new Error('prometheus is not installed');
  const idle = await measure(0);
  const busy = await measure(everyMs);
  return [
    benchmarkRow({
      metric: 'what the metrics of 1000 devices, each every 30 s, cost of a core of the gateway',
      unit: '%',
      better: 'lower',
      ours: busy.percent - idle.percent,
      peers: {},
      goal: 5,
      goalOn: 'ours',
      note: `${agents} agents that send every ${everyMs} ms, ${busy.series} series each; ${busy.percent.toFixed(1)} % in all, ${idle.percent.toFixed(1)} % where none sends`,
    }),
  ];
}

async function measure(
  pushMs: number,
): Promise<{ readonly percent: number; readonly series: number }> {
  await using folder = await temporaryFolder();
  const port = await freePort();
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('prometheus.yaml'), 'global: { scrape_interval: 1m }\n');
  await writeFile(
    at('monitoring.yaml'),
    `prometheus: { remoteWrite: { url: 'http://127.0.0.1:${port}/api/v1/write' } }\n`,
  );
  await using prometheus = await startPrometheus(folder.path, port, [
    '--web.enable-remote-write-receiver',
  ]);
  await using plane = await startControlPlaneProcess(folder.path, {
    TAPLINE_MONITORING_CONFIG: at('monitoring.yaml'),
  });
  const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
  const token = await runTapline(['token', 'create', '--uses', String(agents)], { env });
  await using devices = new AsyncDisposableStack();
  for (let number = 0; number < agents; number += 1) {
    devices.use(
      await startDeviceProcess({
        name: `edge-${number}`,
        folder: folder.path,
        server: plane.url,
        token: token.out.trim(),
        flags: ['--push-metrics', `${pushMs}ms`],
      }),
    );
  }
  // The processes of the others are warm, and what joining has brought about is done.
  await delay(5000);
  const before = ticksOf(plane.pid);
  const fromMs = performance.now();
  await delay(seconds * 1000);
  const used = (ticksOf(plane.pid) - before) / clockTicks;
  const percent = (100 * used) / ((performance.now() - fromMs) / 1000);
  const [counted] =
    pushMs === 0 ? [] : await query(port, 'max(count by (instance) ({job="tapline-agents"}))');
  if (prometheus.pid === undefined) throw new Error('Prometheus ended');
  return { percent, series: counted?.value ?? 0 };
}

/** Ticks of the processor that a process has used, from the kernel: fields 14 and 15. */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
