import type { CommandGroup } from './framework/run-program.ts';

/** Every command, in the order of help; a file per command, loaded when it is used. */
export const commandGroups: readonly CommandGroup[] = [
  {
    title: 'Start',
    commands: {
      'demo channel': async () => (await import('./commands/demo-channel.ts')).demoChannel,
      demo: async () => (await import('./commands/demo.ts')).demo,
      up: async () => (await import('./commands/up.ts')).up,
      'token create': async () => (await import('./commands/token-create.ts')).tokenCreate,
      join: async () => (await import('./commands/join.ts')).join,
      agent: async () => (await import('./commands/agent.ts')).agent,
    },
  },
  {
    title: 'Deliver',
    commands: {
      deploy: async () => (await import('./commands/deploy.ts')).deploy,
      rollback: async () => (await import('./commands/rollback.ts')).rollback,
      exec: async () => (await import('./commands/exec.ts')).exec,
      'run-wasm': async () => (await import('./commands/run-wasm.ts')).runWasm,
      'wasm-shell': async () => (await import('./commands/wasm-shell.ts')).wasmShell,
      logs: async () => (await import('./commands/logs.ts')).logs,
      cp: async () => (await import('./commands/cp.ts')).cp,
      forward: async () => (await import('./commands/forward.ts')).forward,
      brew2oci: async () => (await import('./commands/brew2oci.ts')).brew2oci,
      'image sign': async () => (await import('./commands/image-sign.ts')).imageSign,
      'image verify': async () => (await import('./commands/image-verify.ts')).imageVerify,
      'image cat': async () => (await import('./commands/image-cat.ts')).imageCat,
    },
  },
  {
    title: 'Look and change',
    commands: {
      get: async () => (await import('./commands/get.ts')).get,
      describe: async () => (await import('./commands/describe.ts')).describe,
      explain: async () => (await import('./commands/explain.ts')).explain,
      apply: async () => (await import('./commands/apply.ts')).apply,
      delete: async () => (await import('./commands/delete-objects.ts')).deleteObjects,
      'device revoke': async () => (await import('./commands/device-revoke.ts')).deviceRevoke,
    },
  },
  {
    title: 'Registry',
    commands: {
      'registry ls': async () => (await import('./commands/registry-ls.ts')).registryLs,
      'registry tags': async () => (await import('./commands/registry-tags.ts')).registryTags,
      'registry inspect': async () =>
        (await import('./commands/registry-inspect.ts')).registryInspect,
      'registry copy': async () => (await import('./commands/registry-copy.ts')).registryCopy,
      'registry gc': async () => (await import('./commands/registry-gc.ts')).registryGc,
      'registry scrub': async () => (await import('./commands/registry-scrub.ts')).registryScrub,
      'registry replicate': async () =>
        (await import('./commands/registry-replicate.ts')).registryReplicate,
      'registry harbor': async () => (await import('./commands/registry-harbor.ts')).registryHarbor,
    },
  },
  {
    title: 'Segments',
    commands: {
      'segment verify': async () => (await import('./commands/segment-verify.ts')).segmentVerify,
      'segment plan': async () => (await import('./commands/segment-plan.ts')).segmentPlan,
    },
  },
  {
    title: 'Monitoring',
    commands: {
      'monitor connect': async () => (await import('./commands/monitor-connect.ts')).monitorConnect,
      'monitor prometheus': async () =>
        (await import('./commands/monitor-prometheus.ts')).monitorPrometheus,
      'monitor status': async () => (await import('./commands/monitor-status.ts')).monitorStatus,
      'check hit-ratio': async () => (await import('./commands/check-hit-ratio.ts')).checkHitRatio,
      'check stream': async () => (await import('./commands/check-stream.ts')).checkStream,
      'check segment': async () => (await import('./commands/check-segment.ts')).checkSegment,
      'check tunnel': async () => (await import('./commands/check-tunnel.ts')).checkTunnel,
      'check certificate': async () =>
        (await import('./commands/check-certificate.ts')).checkCertificate,
    },
  },
  {
    title: 'OpsBot',
    commands: {
      'ops incidents': async () => (await import('./commands/ops-incidents.ts')).opsIncidents,
      'ops show': async () => (await import('./commands/ops-show.ts')).opsShow,
      'ops ask': async () => (await import('./commands/ops-ask.ts')).opsAsk,
      'ops console': async () => (await import('./commands/ops-console.ts')).opsConsole,
      'ops plan': async () => (await import('./commands/ops-plan.ts')).opsPlan,
      'ops request': async () => (await import('./commands/ops-request.ts')).opsRequest,
      'ops approve': async () => (await import('./commands/ops-approve.ts')).opsApprove,
      'ops reject': async () => (await import('./commands/ops-reject.ts')).opsReject,
      'ops pause': async () => (await import('./commands/ops-pause.ts')).opsPause,
      'ops resume': async () => (await import('./commands/ops-resume.ts')).opsResume,
      'ops replica': async () => (await import('./commands/ops-replica.ts')).opsReplica,
      mcp: async () => (await import('./commands/mcp.ts')).mcp,
    },
  },
  {
    title: 'Channels',
    commands: {
      'channel check': async () => (await import('./commands/channel-check.ts')).channelCheck,
      'channel url': async () => (await import('./commands/channel-url.ts')).channelUrl,
      'channel onboard': async () => (await import('./commands/channel-onboard.ts')).channelOnboard,
      'channel hit-ratio': async () =>
        (await import('./commands/channel-hit-ratio.ts')).channelHitRatio,
      'channel flush': async () => (await import('./commands/channel-flush.ts')).channelFlush,
      'channel prime': async () => (await import('./commands/channel-prime.ts')).channelPrime,
      drain: async () => (await import('./commands/drain.ts')).drain,
      'node drain': async () => (await import('./commands/node-drain.ts')).nodeDrain,
      'enrolment link': async () => (await import('./commands/enrolment-link.ts')).enrolmentLink,
    },
  },
  {
    title: 'Edge cache',
    commands: {
      'edge-cache serve': async () =>
        (await import('./commands/edge-cache-serve.ts')).edgeCacheServe,
      'edge-cache purge': async () =>
        (await import('./commands/edge-cache-purge.ts')).edgeCachePurge,
      'edge-cache pin': async () => (await import('./commands/edge-cache-pin.ts')).edgeCachePin,
      'edge-cache stats': async () =>
        (await import('./commands/edge-cache-stats.ts')).edgeCacheStats,
      'edge-cache reload': async () =>
        (await import('./commands/edge-cache-reload.ts')).edgeCacheReload,
    },
  },
  {
    title: 'This tool',
    commands: {
      doctor: async () => (await import('./commands/doctor.ts')).doctor,
      kubeconfig: async () => (await import('./commands/kubeconfig.ts')).kubeconfig,
      completion: async () => (await import('./commands/completion.ts')).completion,
      version: async () => (await import('./commands/version.ts')).version,
    },
  },
];
