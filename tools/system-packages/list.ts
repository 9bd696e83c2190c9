/** A Debian package that Tapline or its tests run. */
export interface SystemPackage {
  readonly name: string;
  /** Installed when all of these are on the path. */
  readonly programs: readonly string[];
  /** Whether the demo needs it, too. */
  readonly demo: boolean;
  /** What is left out without it. */
  readonly without: string;
}

function needed(name: string, program: string, without: string): SystemPackage {
  return { name, programs: [program], demo: false, without };
}

export const systemPackages: readonly SystemPackage[] = [
  { ...needed('runc', 'runc', 'no container is run'), demo: true },
  { ...needed('patchelf', 'patchelf', 'no bottles are made from Debian packages'), demo: true },
  needed('busybox', 'busybox', 'no image of somebody else is run as a workload'),
  needed('skopeo', 'skopeo', 'images are not copied by a foreign client'),
  needed('docker-registry', 'docker-registry', 'nothing is replicated to a foreign registry'),
  needed('podman', 'podman', 'images are not run by a foreign engine'),
  needed('containerd', 'ctr', 'images are not imported by a foreign daemon'),
  needed('umoci', 'umoci', 'images are not unpacked by a foreign tool'),
  needed('qemu-user-static', 'qemu-aarch64-static', 'no arm64 program is run'),
  needed(
    'gcc-aarch64-linux-gnu',
    'aarch64-linux-gnu-gcc',
    'translated programs are not measured beside qemu',
  ),
  needed(
    'libc6-dev-arm64-cross',
    'aarch64-linux-gnu-gcc',
    'translated programs are not measured beside qemu',
  ),
  needed('etcd-server', 'etcd', 'the API benchmark has no peer'),
  needed(
    'binutils-aarch64-linux-gnu',
    'aarch64-linux-gnu-objdump',
    'decoded instructions are compared with no other decoder',
  ),
  needed('binutils', 'readelf', 'edited ELF files are not checked by readelf'),
  needed('gcc', 'gcc', 'no ELF files of rare layouts are made to be edited'),
  needed('iproute2', 'bridge', 'no segment is built in network namespaces'),
  needed('nftables', 'nft', 'no segment is built in network namespaces'),
  needed('iproute2', 'ip', 'no segment is put up'),
  needed('nftables', 'nft', 'no segment is put up'),
  needed('wireguard-go', 'wireguard-go', 'no segment is encrypted by WireGuard in user space'),
  needed('wireguard-tools', 'wg', 'no segment is encrypted by WireGuard'),
  needed('iperf3', 'iperf3', 'the throughput of an overlay is not measured'),
  needed('ocserv', 'ocserv', 'nothing is delivered through an AnyConnect VPN'),
  needed('openconnect', 'openconnect', 'nothing is delivered through an AnyConnect VPN'),
  needed('faketime', 'faketime', 'no device has a clock that is wrong'),
  needed('icinga2', 'icinga2', 'nothing is watched by Icinga 2'),
  needed('prometheus', 'prometheus', 'no metrics are scraped, and no rules are tried out'),
  needed('prometheus-alertmanager', 'prometheus-alertmanager', 'no alert is routed'),
  needed('ffmpeg', 'ffmpeg', 'no playlist is made and read by a foreign encoder and player'),
  needed('varnish', 'varnishd', 'the edge cache has no second driver and no peer'),
  needed('varnish-modules', 'varnishd', 'nothing is purged from Varnish by tag'),
  needed('nginx-light', 'nginx', 'the edge cache is not measured beside nginx'),
  needed('wrk', 'wrk', 'the edge cache is not measured under load'),
  needed('chromium-headless-shell', 'chromium-headless-shell', 'no page is opened in a browser'),
  needed('webkit2gtk-driver', 'WebKitWebDriver', 'no page is opened in WebKit'),
  needed('xvfb', 'Xvfb', 'no page is opened in WebKit'),
  needed('python3', 'python3', 'archives are not read by a foreign reader'),
];
