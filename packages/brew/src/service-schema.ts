import { z } from 'zod';

const command = z.union([z.string(), z.array(z.string())]);
const seconds = z.int().min(0);

/** `service` of a formula in the public API (Homebrew `service.rb#to_hash`). */
export const serviceSchema = z.object({
  name: z.object({ linux: z.string().optional() }).nullish(),
  run: z.union([command, z.object({ linux: command.optional() })]).nullish(),
  run_type: z.string().nullish(),
  interval: z.int().min(1).nullish(),
  cron: z.string().nullish(),
  keep_alive: z.union([z.boolean(), z.record(z.string(), z.unknown())]).nullish(),
  launch_only_once: z.boolean().nullish(),
  require_root: z.boolean().nullish(),
  environment_variables: z.record(z.string(), z.string()).nullish(),
  working_dir: z.string().nullish(),
  root_dir: z.string().nullish(),
  input_path: z.string().nullish(),
  log_path: z.string().nullish(),
  error_log_path: z.string().nullish(),
  restart_delay: seconds.nullish(),
  throttle_interval: seconds.nullish(),
  stop_timeout: seconds.nullish(),
  nice: z.int().min(-20).max(19).nullish(),
  process_type: z.string().nullish(),
  sockets: z.union([z.string(), z.record(z.string(), z.string())]).nullish(),
});

export type ServiceJson = z.infer<typeof serviceSchema>;
