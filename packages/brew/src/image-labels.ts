/** Labels and annotations of our own; values of more than a word are JSON. */
export const imageLabels = {
  formula: 'dev.tapline.formula',
  /** On layers that several formulae share: JSON array of their names. */
  formulae: 'dev.tapline.formulae',
  /** Absolute path of the command a default health check runs with `--version`. */
  mainCommand: 'dev.tapline.main-command',
  /** JSON array of absolute paths. */
  executables: 'dev.tapline.executables',
  /** JSON of {@link FormulaService}. */
  service: 'dev.tapline.service',
  /** JSON array of {@link StepLeftOut}: what Homebrew would still do after unpacking, and why not. */
  postInstall: 'dev.tapline.post-install',
  /** JSON array of {@link UnlinkedKeg}: dependencies that are found below `opt` alone. */
  unlinked: 'dev.tapline.unlinked',
  /** On layers: bytes and files once unpacked, for a device to reserve disk. */
  unpackedSize: 'dev.tapline.unpacked-size',
  fileCount: 'dev.tapline.file-count',
} as const;
