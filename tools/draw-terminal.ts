import { readFileSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/**
 * Draws what a command printed on a terminal as an SVG, for the README:
 *
 *   script -qec './tapline demo' /dev/null | node tools/draw-terminal.ts docs/demo.svg
 */
const file = process.argv[2];
if (file === undefined) {
  process.stderr.write('usage: COMMAND | node tools/draw-terminal.ts FILE.svg\n');
  process.exit(2);
}
const bold = '\u001B[1m';
const maxColumns = 132;
const lines = readFileSync(0, 'utf8').trimEnd().split(/\r?\n/).map(lastState).map(shortened);
const fontSize = 13;
const lineHeight = 18;
const margin = 20;
const columns = Math.max(60, ...lines.map((line) => line.length));
const width = Math.ceil(columns * fontSize * 0.602) + 2 * margin;
const height = lines.length * lineHeight + 2 * margin;

const text = lines
  .map((line, at) => {
    const y = margin + (at + 0.8) * lineHeight;
    return `<text x="${margin}" y="${y.toFixed(1)}" class="${lineClass(line)}" xml:space="preserve">${escapeText(line)}</text>`;
  })
  .join('\n');

writeFileSync(
  file,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<style>
text { font: ${fontSize}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; }
.title { fill: #79c0ff; font-weight: bold; }
.command { fill: #7ee787; }
.error { fill: #ffa198; }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${text}
</svg>
`,
);

/** What is left of a line that was erased and written again, as progress is. */
function lastState(line: string): string {
  return line.split('\r').at(-1) ?? '';
}

function shortened(line: string): string {
  return line.length > maxColumns ? `${line.slice(0, maxColumns - 1)}…` : line;
}

function lineClass(line: string): string {
  if (line.startsWith(bold)) return 'title';
  if (line.startsWith('$ ')) return 'command';
  return line.startsWith('tapline: ') ? 'error' : 'output';
}

function escapeText(line: string): string {
  const plain = stripVTControlCharacters(line);
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
