import { decodeQR } from 'qr/decode.js';
import { expect, test } from 'vitest';
import { drawQrCode } from './draw-qr-code.ts';

/** Draws what a camera sees of a terminal: four points a module, light where characters are. */
function photograph(drawn: string): { width: number; height: number; data: Uint8Array } {
  const scale = 4;
  const rows = drawn.trimEnd().split('\n');
  const upper = new Set(['▀', '█']);
  const lower = new Set(['▄', '█']);
  const modules = rows.flatMap((row) => [
    Array.from(row, (character) => upper.has(character)),
    Array.from(row, (character) => lower.has(character)),
  ]);
  const width = (modules[0]?.length ?? 0) * scale;
  const height = modules.length * scale;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const light = modules[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      data.fill(light ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { width, height, data };
}

test.each([
  'https://tv.example/',
  `https://control.example:7443/profiles/v1/${'aB3_-'.repeat(18)}.${'x'.repeat(22)}/news.mobileconfig`,
])('a camera reads %s', (text) => {
  expect(decodeQR(photograph(drawQrCode(text)))).toBe(text);
});

test('is narrow enough for a terminal of 80 columns', () => {
  const drawn = drawQrCode(
    `https://control.example/profiles/v1/${'a'.repeat(100)}/news.mobileconfig`,
  );
  expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
