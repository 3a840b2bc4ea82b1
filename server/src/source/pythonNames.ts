import { parser } from '@lezer/python';
import type { SyntaxNode, Tree } from '@lezer/common';

/** A piece of source text that may name a layer or a model. Offsets are UTF-16 units. */
export interface SourceName {
  /** Names to try, most specific first: `layer2[0].conv1` before `conv1`. */
  readonly names: readonly string[];
  readonly form: 'attribute' | 'string';
  readonly from: number;
  readonly to: number;
}

/** Files above this are not parsed: generated code, data in disguise. */
export const MAXIMUM_SOURCE_LENGTH = 2_000_000;

/** The syntax tree of Python text; it has errors in it where the text is half typed. */
export const parsePython = (text: string): Tree => parser.parse(text);

/** The name exactly under a position: an attribute access, or a string literal. Null elsewhere. */
export function pythonNameAt(tree: Tree, text: string, offset: number): SourceName | null {
  for (const side of [1, -1] as const) {
    const node = tree.resolveInner(offset, side);
    if (node.name === 'PropertyName') return attributeName(node, text);
    if (node.name === 'String' || node.parent?.name === 'String')
      return stringName(node.name === 'String' ? node : node.parent, text);
  }
  return null;
}

/** All names in the statement around a position, in reading order: what a caret anywhere on that line may mean. */
export function pythonNamesInStatement(
  tree: Tree,
  text: string,
  offset: number,
): readonly SourceName[] {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const lineBreak = text.indexOf('\n', offset);
  const lineEnd = lineBreak < 0 ? text.length : lineBreak;
  return pythonNames(tree, text, lineStart, lineEnd);
}

/** All attribute and string names between two offsets, in reading order. */
export function pythonNames(
  tree: Tree,
  text: string,
  from: number,
  to: number,
): readonly SourceName[] {
  const found: SourceName[] = [];
  tree.iterate({
    from,
    to,
    enter: ({ node }) => {
      if (node.from < from || node.to > to) return;
      const name =
        node.name === 'PropertyName'
          ? attributeName(node, text)
          : node.name === 'String'
            ? stringName(node, text)
            : null;
      if (name) found.push(name);
    },
  });
  return found;
}

/** `self.x = …` assignments of the whole text: where modules are made. */
export function pythonAttributeAssignments(tree: Tree, text: string): readonly SourceName[] {
  const found: SourceName[] = [];
  tree.iterate({
    enter: ({ node }) => {
      if (node.name !== 'AssignStatement') return;
      const target = node.firstChild;
      const property = target?.name === 'MemberExpression' ? target.lastChild : null;
      const root = target?.firstChild;
      if (property?.name !== 'PropertyName' || !root || text.slice(root.from, root.to) !== 'self')
        return;
      const name = attributeName(property, text);
      if (name) found.push(name);
    },
  });
  return found;
}

function attributeName(property: SyntaxNode, text: string): SourceName | null {
  const member = property.parent;
  if (member?.name !== 'MemberExpression') return null;
  const segments = chain(member, text);
  if (segments === null) return null;
  const [, ...rest] = segments;
  const names = rest.length > 0 ? [joinPath(rest), joinPath(segments)] : [];
  return { names, form: 'attribute', from: property.from, to: property.to };
}

/** `a.b[0].c` as ['a', 'b', '[0]', 'c']; null where a link is not a name or a constant index. */
function chain(node: SyntaxNode, text: string): string[] | null {
  const segments: string[] = [];
  let current: SyntaxNode | null = node;
  while (current?.name === 'MemberExpression') {
    const last: SyntaxNode | null = current.lastChild;
    if (last?.name === 'PropertyName') segments.unshift(text.slice(last.from, last.to));
    else {
      const index = /^\[\s*(?:(-?\d+)|(['"])([^'"\\]*)\2)\s*\]$/.exec(
        text.slice(current.firstChild?.to ?? current.from, current.to),
      );
      if (!index) return null;
      segments.unshift(`[${index[1] ?? index[3] ?? ''}]`);
    }
    current = current.firstChild;
  }
  if (current?.name === 'VariableName') segments.unshift(text.slice(current.from, current.to));
  else segments.unshift('');
  return segments;
}

const joinPath = (segments: readonly string[]): string =>
  segments.reduce(
    (path, segment) =>
      segment.startsWith('[') || path === '' ? path + segment : `${path}.${segment}`,
    '',
  );

function stringName(node: SyntaxNode | null, text: string): SourceName | null {
  if (!node) return null;
  const literal = /^[rRbBuU]{0,2}('''|"""|'|")([\s\S]*?)\1$/.exec(text.slice(node.from, node.to));
  const content = literal?.[2];
  if (
    !literal ||
    content === undefined ||
    content === '' ||
    content.length > 1000 ||
    content.includes('\n')
  )
    return null;
  const from = node.from + literal[0].indexOf(literal[1] ?? '') + (literal[1]?.length ?? 0);
  return { names: [content], form: 'string', from, to: from + content.length };
}
