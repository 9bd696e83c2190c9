/** The registry repository of a formula below its tap: `openssl@3` → `openssl/3`, `gtk+3` → `gtkx3`. */
export function bottleRepository(name: string): string {
  return name.replaceAll('@', '/').replaceAll('+', 'x');
}
