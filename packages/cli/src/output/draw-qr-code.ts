import { encodeQR } from 'qr';

// Two modules in a character: upper half, lower half.
const halves = [' ', '▄', '▀', '█'] as const;
// Readers need a quiet zone of four modules.
const quiet = 4;

/**
 * A QR code of `text`, light on the terminal's dark ground: cameras read it either way round, and
 * most terminals are dark.
 */
export function drawQrCode(text: string): string {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: quiet });
  const rows: string[] = [];
  for (let y = 0; y < modules.length; y += 2) {
    const upper = modules[y] ?? [];
    // Below the last row everything is light, as the border is.
    const lower = modules[y + 1] ?? upper.map(() => false);
    const row = upper.map((dark, x) => halves[(dark ? 0 : 2) + (lower[x] === true ? 0 : 1)] ?? ' ');
    rows.push(row.join(''));
  }
  return `${rows.join('\n')}\n`;
}
