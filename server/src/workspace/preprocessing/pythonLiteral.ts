/** What a Python literal can hold. Tuples become arrays; dict keys become strings. */
export type PythonValue =
  string | number | boolean | null | readonly PythonValue[] | ReadonlyMap<string, PythonValue>;

const MAXIMUM_LENGTH = 1 << 20;
const MAXIMUM_DEPTH = 16;

/**
 * Reads what Python's `str()` gives for numbers, strings, booleans, None, lists, tuples and dicts, such as `{0: 'person', 1: "bird's"}`.
 * Nothing is evaluated. Undefined for anything else.
 */
export function parsePythonLiteral(text: string): PythonValue | undefined {
  if (text.length > MAXIMUM_LENGTH) return undefined;
  const reader = new LiteralReader(text);
  const value = reader.value(0);
  return reader.atEnd() ? value : undefined;
}

const NAMED: readonly (readonly [string, PythonValue])[] = [
  ['True', true],
  ['False', false],
  ['None', null],
];
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

class LiteralReader {
  private at = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.skipSpace();
    return this.at === this.text.length;
  }

  value(depth: number): PythonValue | undefined {
    if (depth > MAXIMUM_DEPTH) return undefined;
    this.skipSpace();
    const first = this.text[this.at];
    if (first === "'" || first === '"') return this.string(first);
    if (first === '{') return this.dict(depth);
    if (first === '[') return this.list(']', depth);
    if (first === '(') return this.list(')', depth);
    for (const [name, value] of NAMED)
      if (this.text.startsWith(name, this.at)) {
        this.at += name.length;
        return value;
      }
    return this.number();
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private take(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private number(): number | undefined {
    const pattern = /[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/y;
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at = pattern.lastIndex;
    return Number(match[0]);
  }

  private string(quote: string): string | undefined {
    let value = '';
    for (this.at++; this.at < this.text.length; this.at++) {
      const character = this.text[this.at] ?? '';
      if (character === quote) {
        this.at++;
        return value;
      }
      if (character !== '\\') value += character;
      else {
        const escaped = this.text[++this.at] ?? '';
        const digits = { x: 2, u: 4, U: 8 }[escaped];
        if (digits === undefined) value += ESCAPES[escaped] ?? `\\${escaped}`;
        else {
          const code = Number.parseInt(this.text.slice(this.at + 1, this.at + 1 + digits), 16);
          if (!(code >= 0 && code <= 0x10ffff)) return undefined;
          value += String.fromCodePoint(code);
          this.at += digits;
        }
      }
    }
    return undefined;
  }

  private list(end: string, depth: number): readonly PythonValue[] | undefined {
    const items: PythonValue[] = [];
    for (this.at++; !this.take(end);) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (!this.take(',')) return this.take(end) ? items : undefined;
    }
    return items;
  }

  private dict(depth: number): ReadonlyMap<string, PythonValue> | undefined {
    const entries = new Map<string, PythonValue>();
    for (this.at++; !this.take('}');) {
      const key = this.value(depth + 1);
      if ((typeof key !== 'string' && typeof key !== 'number') || !this.take(':')) return undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      entries.set(String(key), value);
      if (!this.take(',')) return this.take('}') ? entries : undefined;
    }
    return entries;
  }
}
