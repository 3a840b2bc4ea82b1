import type { SourceName } from './pythonNames';

const LITERAL =
  /'((?:[^'\\\n]|\\.){1,1000})'|"((?:[^"\\\n]|\\.){1,1000})"|`((?:[^`\\\n]|\\.){1,1000})`/g;

/** String literals on the line of a position, for languages that are not parsed: one quoting rule that fits nearly all of them. */
export function stringNamesInLine(text: string, offset: number): readonly SourceName[] {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const lineBreak = text.indexOf('\n', offset);
  const line = text.slice(start, Math.min(lineBreak < 0 ? text.length : lineBreak, start + 10_000));
  return [...line.matchAll(LITERAL)].map(match => {
    const content = match[1] ?? match[2] ?? match[3] ?? '';
    const from = start + match.index + 1;
    return {
      names: [content.replaceAll('\\\\', '\\')],
      form: 'string',
      from,
      to: from + content.length,
    };
  });
}

/** The string literal under a position, or null. */
export const stringNameAt = (text: string, offset: number): SourceName | null =>
  stringNamesInLine(text, offset).find(name => offset >= name.from && offset <= name.to) ?? null;

/** Paths that end in `.onnx` inside string literals anywhere in a text, in reading order, without repeats. */
export function modelPathsIn(text: string): readonly string[] {
  const paths = [...text.matchAll(/['"`]([^'"`\n]{0,500}\.onnx)['"`]/g)].map(
    match => match[1] ?? '',
  );
  return [...new Set(paths)];
}
