import type { WordsPart } from '../words/remediation-words.ts';
import type { Shown } from './keep-list.ts';
import { make, setText } from './page-elements.ts';

/** A part of a remediation's log; what few want to read is folded away, and stays unfolded. */
export function createLogPart({ title }: WordsPart): Shown<WordsPart> {
  const root = make('div');
  const [lines, folded, summary, details] = [
    make('ul'),
    make('details'),
    make('summary'),
    make('ul'),
  ];
  folded.append(summary, details);
  root.append(make('h4', title), lines, folded);
  let shown = '';
  return {
    root,
    show(part) {
      const now = JSON.stringify(part);
      if (now === shown) return;
      shown = now;
      lines.replaceChildren(...part.lines.map((line) => make('li', line)));
      details.replaceChildren(...part.details.map((line) => make('li', line)));
      setText(summary, `what ${part.details.length} of them say`);
      folded.hidden = part.details.length === 0;
    },
  };
}
