/** How a formula runs as a service, with the prefix filled in; what it does not say is absent. */
export interface FormulaService {
  /** Its systemd unit has this name; without a command the keg brings the unit itself. */
  readonly unit?: string;
  readonly command?: readonly string[];
  readonly keepAlive?: boolean;
  /** Under which conditions it is kept alive, as Homebrew names them. */
  readonly keepAliveWhile?: Readonly<Record<string, unknown>>;
  readonly schedule?:
    | { readonly kind: 'interval'; readonly seconds: number }
    /** Minute, hour, day, month, weekday. */
    | { readonly kind: 'cron'; readonly cron: string };
  /** Whether it ends by itself and is not started again. */
  readonly once?: boolean;
  readonly root?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly rootDirectory?: string;
  readonly inputPath?: string;
  readonly logPath?: string;
  readonly errorLogPath?: string;
  readonly restartDelaySeconds?: number;
  readonly throttleSeconds?: number;
  readonly stopTimeoutSeconds?: number;
  readonly nice?: number;
  readonly processType?: string;
  /** Name → `tcp://127.0.0.1:80`. */
  readonly sockets?: Readonly<Record<string, string>>;
}
