/** A Debian package that Tapline or its tests run. */
export interface SystemPackage {
  readonly name: string;
  /** Installed when all of these are on the path. */
  readonly programs: readonly string[  {
    name: 'gcc',
    programs: ['gcc'],
    demo: false,
    without: 'no ELF files of rare layouts are made to be edited',
  },
  {
    name: 'python3',
    programs: ['python3'],
    demo: false,
    without: 'archives are not read by a foreign reader',
  },
];
  /** Whether the demo needs it, too. */
  readonly demo: boolean;
  /** What is left out without it. */
  readonly without: string;
}

export const systemPackages: readonly SystemPackage[] = [
  {
    name: 'runc',
    programs: ['runc'],
    demo: true,
    without: 'no container is run, in tests or by the agent',
  },
  {
    name: 'patchelf',
    programs: ['patchelf'],
    demo: true,
    without: 'no bottles are made from Debian packages',
  },
  {
    name: 'skopeo',
    programs: ['skopeo'],
    demo: false,
    without: 'images are not copied by a foreign client',
  },
  {
    name: 'podman',
    programs: ['podman'],
    demo: false,
    without: 'images are not run by a foreign engine',
  },
  {
    name: 'umoci',
    programs: ['umoci'],
    demo: false,
    without: 'images are not unpacked by a foreign tool',
  },
  {
    name: 'qemu-user-static',
    programs: ['qemu-aarch64-static'],
    demo: false,
    without: 'no arm64 program is run',
  },
  {
    name: 'etcd-server',
    programs: ['etcd'],
    demo: false,
    without: 'the API benchmark has no peer',
  },
  {
    name: 'binutils',
    programs: ['readelf'],
    demo: false,
    without: 'edited ELF files are not checked by readelf',
  },
  {
    name: 'gcc',
    programs: ['gcc'],
    demo: false,
    without: 'no ELF files of rare layouts are made to be edited',
  },
  {
    name: 'python3',
    programs: ['python3'],
    demo: false,
    without: 'archives are not read by a foreign reader',
  },
];
