import {
  controls,
  defaultSettings,
  inputFlags,
  localFlags,
  outputFlags,
  type TerminalSettings,
} from './terminal-settings.ts';

/** What the characters of a line mean for others. */
export interface LineEvents {
  /** To the screen. */
  readonly show: (bytes: Uint8Array) => void;
  /** A character that is a signal: for all in the foreground. */
  readonly signal: (which: 'interrupt' | 'quit' | 'suspend') => void;
}

const newline = 10;
const carriageReturn = 13;
const backspace = 8;
const tab = 9;
const escape = 27;
const space = 32;
const del = 127;
/** As Linux has it (N_TTY_BUF_SIZE); what comes beyond is dropped. */
const capacity = 4096;

/**
 * Between keyboard and program, as Linux's N_TTY: lines that can be edited until they are sent, echo,
 * characters that are signals, and what becomes of newlines and tabs on the screen.
 */
export class LineDiscipline {
  settings: TerminalSettings = defaultSettings();
  readonly #events: LineEvents;
  /** The line that is being edited. */
  #line: number[] = [];
  /** Lines that are complete, or, without lines, bytes. An empty one is the end of input. */
  #ready: number[][] = [];
  #literal = false;
  /** Stopped by ^S. */
  stopped = false;
  #column = 0;
  /** Where the line began that is being edited. */
  #lineColumn = 0;

  constructor(events: LineEvents) {
    this.#events = events;
  }

  get canonical(): boolean {
    return this.#has(localFlags.canonical);
  }

  /** Bytes that can be read now. */
  get available(): number {
    return this.#ready.reduce((total, part) => total + part.length, 0);
  }

  /** Whether a read has something, if only the end. */
  get ready(): boolean {
    return this.#ready.length > 0;
  }

  /** At most one line; undefined where there is nothing yet. */
  read(most: number): Uint8Array | undefined {
    if (!this.canonical) return this.#readBytes(most);
    const [first] = this.#ready;
    if (first === undefined) return undefined;
    const part = first.slice(0, most);
    if (part.length === first.length) this.#ready.shift();
    else this.#ready[0] = first.slice(part.length);
    return Uint8Array.from(part);
  }

  #readBytes(most: number): Uint8Array | undefined {
    const all = this.#ready.flat();
    if (this.#ready.length === 0) return undefined;
    const rest = all.slice(most);
    this.#ready = rest.length > 0 ? [rest] : [];
    return Uint8Array.from(all.slice(0, most));
  }

  /** Other settings: what was typed stays, but is seen as they say. */
  change(settings: TerminalSettings): void {
    const before = this.canonical;
    this.settings = settings;
    if (before && !this.canonical && this.#line.length > 0) {
      this.#ready.push(this.#line);
      this.#line = [];
    }
    if (!this.canonical) this.#ready = this.#ready.filter((part) => part.length > 0);
    if ((settings.input & inputFlags.flowControl) === 0) this.stopped = false;
  }

  flushInput(): void {
    this.#line = [];
    this.#ready = [];
    this.#literal = false;
  }

  /** What was typed. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#receive(byte);
  }

  #receive(typed: number): void {
    const { input } = this.settings;
    let byte = (input & inputFlags.stripHigh) === 0 ? typed : typed & 0x7f;
    if (this.#literal) {
      this.#literal = false;
      this.#keep(byte);
      return;
    }
    if (byte === carriageReturn) {
      if ((input & inputFlags.ignoreReturn) !== 0) return;
      if ((input & inputFlags.returnToNewline) !== 0) byte = newline;
    } else if (byte === newline && (input & inputFlags.newlineToReturn) !== 0)
      byte = carriageReturn;
    if (this.#flowControl(byte) || this.#signals(byte)) return;
    if (this.canonical) this.#edit(byte);
    else this.#keep(byte);
  }

  #flowControl(byte: number): boolean {
    if ((this.settings.input & inputFlags.flowControl) === 0) return false;
    if (this.#is(byte, controls.stop)) {
      this.stopped = true;
      return true;
    }
    if (this.#is(byte, controls.start)) {
      this.stopped = false;
      return true;
    }
    return false;
  }

  #signals(byte: number): boolean {
    if (!this.#has(localFlags.signals)) return false;
    const which = this.#is(byte, controls.interrupt)
      ? 'interrupt'
      : this.#is(byte, controls.quit)
        ? 'quit'
        : this.#is(byte, controls.suspend)
          ? 'suspend'
          : undefined;
    if (which === undefined) return false;
    if (!this.#has(localFlags.noFlush)) this.flushInput();
    this.stopped = false;
    if (this.#has(localFlags.echo)) this.#echo(byte);
    this.#events.signal(which);
    return true;
  }

  #edit(byte: number): void {
    const extended = this.#has(localFlags.extended);
    if (this.#is(byte, controls.erase)) {
      this.#erase(this.#lastCharacter());
      return;
    }
    if (extended && this.#is(byte, controls.eraseWord)) {
      this.#erase(this.#lastWord());
      return;
    }
    if (this.#is(byte, controls.kill)) {
      this.#killLine(byte);
      return;
    }
    if (extended && this.#is(byte, controls.literalNext)) {
      this.#literal = true;
      if (this.#has(localFlags.echo) && this.#has(localFlags.echoControl)) {
        this.#show([0x5e, backspace]);
      }
      return;
    }
    if (extended && this.#is(byte, controls.reprint)) {
      this.#reprint(byte);
      return;
    }
    if (this.#is(byte, controls.endOfFile)) {
      this.#finishLine();
      return;
    }
    if (
      byte === newline ||
      this.#is(byte, controls.endOfLine) ||
      this.#is(byte, controls.endOfLine2)
    ) {
      if (this.#has(localFlags.echo) || (byte === newline && this.#has(localFlags.echoNewline))) {
        this.#echo(byte);
      }
      this.#line.push(byte);
      this.#finishLine();
      return;
    }
    this.#keep(byte);
  }

  #keep(byte: number): void {
    const used = this.#line.length + this.available;
    if (used >= capacity - 1) {
      if ((this.settings.input & inputFlags.bell) !== 0) this.#show([7]);
      return;
    }
    if (this.#line.length === 0) this.#lineColumn = this.#column;
    if (this.#has(localFlags.echo)) this.#echo(byte);
    if (this.canonical) this.#line.push(byte);
    else {
      const last = this.#ready.at(-1);
      if (last === undefined) this.#ready.push([byte]);
      else last.push(byte);
    }
  }

  #finishLine(): void {
    this.#ready.push(this.#line);
    this.#line = [];
    this.#lineColumn = this.#column;
  }

  #lastCharacter(): number {
    if (this.#line.length === 0) return 0;
    let count = 1;
    if ((this.settings.input & inputFlags.utf8) !== 0) {
      while (count < this.#line.length && isContinuation(this.#line.at(-count))) count++;
    }
    return count;
  }

  #lastWord(): number {
    let count = 0;
    let seen = false;
    while (count < this.#line.length) {
      const character = this.#line[this.#line.length - 1 - count] ?? 0;
      const word = isWord(character);
      if (!word && seen) break;
      seen ||= word;
      count++;
    }
    return count;
  }

  #erase(count: number): void {
    if (count === 0) return;
    const before = this.#width(this.#line);
    this.#line.length -= count;
    if (!this.#has(localFlags.echo) || !this.#has(localFlags.echoErase)) return;
    const columns = before - this.#width(this.#line);
    for (let column = 0; column < columns; column++) this.#show([backspace, space, backspace]);
  }

  #killLine(byte: number): void {
    const { local } = this.settings;
    const erases = localFlags.echoErase | localFlags.echoKill | localFlags.echoKillErase;
    if (!this.#has(localFlags.echo)) {
      this.#line = [];
      return;
    }
    if ((local & erases) === erases) {
      this.#erase(this.#line.length);
      return;
    }
    this.#line = [];
    this.#echo(byte);
    if (this.#has(localFlags.echoKill)) this.#echo(newline);
  }

  #reprint(byte: number): void {
    if (!this.#has(localFlags.echo)) return;
    this.#echo(byte);
    this.#echo(newline);
    for (const character of this.#line) this.#echo(character);
  }

  /** Columns that the line takes on the screen. */
  #width(line: readonly number[]): number {
    let column = this.#lineColumn;
    for (const byte of line) {
      if (byte === tab) column += 8 - (column % 8);
      else if (byte < space || byte === del) column += this.#has(localFlags.echoControl) ? 2 : 0;
      else if ((this.settings.input & inputFlags.utf8) === 0 || !isContinuation(byte)) column++;
    }
    return column - this.#lineColumn;
  }

  #echo(byte: number): void {
    const isControl = (byte < space && byte !== tab && byte !== newline) || byte === del;
    if (isControl && this.#has(localFlags.echoControl)) this.#show([0x5e, byte ^ 0x40]);
    else this.#events.show(this.output(Uint8Array.of(byte)));
  }

  #show(bytes: readonly number[]): void {
    this.#follow(bytes);
    this.#events.show(Uint8Array.from(bytes));
  }

  /** What a program writes, as it goes to the screen. */
  output(bytes: Uint8Array): Uint8Array {
    const { output } = this.settings;
    if ((output & outputFlags.process) === 0) {
      this.#follow(bytes);
      return bytes.slice();
    }
    const shown: number[] = [];
    for (const byte of bytes) {
      const from = shown.length;
      if (byte === newline && (output & outputFlags.newlineToReturn) !== 0) {
        shown.push(carriageReturn, newline);
      } else if (byte === carriageReturn && (output & outputFlags.returnToNewline) !== 0) {
        shown.push(newline);
      } else if (
        byte === carriageReturn &&
        (output & outputFlags.noReturnAtStart) !== 0 &&
        this.#column === 0
      ) {
        continue;
      } else if (byte === tab && (output & outputFlags.expandTabs) === outputFlags.expandTabs) {
        for (let left = 8 - (this.#column % 8); left > 0; left--) shown.push(space);
      } else shown.push(byte);
      this.#follow(shown.slice(from));
    }
    return Uint8Array.from(shown);
  }

  #follow(bytes: Iterable<number>): void {
    for (const byte of bytes) {
      if (byte === carriageReturn || byte === newline)
        this.#column = byte === newline ? this.#column : 0;
      else if (byte === backspace) this.#column = Math.max(this.#column - 1, 0);
      else if (byte === tab) this.#column += 8 - (this.#column % 8);
      else if (byte >= space && byte !== del && byte !== escape && !isContinuation(byte))
        this.#column++;
    }
  }

  #is(byte: number, which: number): boolean {
    const character = this.settings.characters[which] ?? 0;
    return character !== 0 && byte === character;
  }

  #has(flag: number): boolean {
    return (this.settings.local & flag) !== 0;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function isWord(byte: number): boolean {
  const letter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return letter || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte >= 0x80;
}
