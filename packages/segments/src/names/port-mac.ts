const hex: readonly string[] = Array.from({ length: 256 }, (_, number) =>
  number.toString(16).padStart(2, '0'),
);

/**
 * The MAC of a port: locally administered, all 24 bits of the VNI and the port's index, so that no
 * two ports of a fabric have the same.
 */
export function portMac(vni: number, index: number): string {
  const network = `${byte(vni >>> 16)}:${byte(vni >>> 8)}:${byte(vni)}`;
  return `02:${network}:${byte(index >>> 8)}:${byte(index)}`;
}

function byte(number: number): string {
  return hex[number & 0xff] ?? '';
}
