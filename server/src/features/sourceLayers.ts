import { fileURLToPath } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Tree } from '@lezer/common';
import type { LayerTarget } from '../../../protocol/server';
import {
  MAXIMUM_SOURCE_LENGTH,
  parsePython,
  pythonNameAt,
  pythonNamesInStatement,
  type SourceName,
} from '../source/pythonNames';
import { modelPathsIn, stringNameAt, stringNamesInLine } from '../source/stringNames';
import type { ServerContext } from '../serverContext';
import { layerNamed } from '../workspace/layerNaming';

const trees = new WeakMap<TextDocument, { readonly version: number; readonly tree: Tree }>();

/** The tree of a Python document's current version, parsed once. */
export function treeOf(document: TextDocument): Tree {
  const kept = trees.get(document);
  if (kept?.version === document.version) return kept.tree;
  const tree = parsePython(document.getText());
  trees.set(document, { version: document.version, tree });
  return tree;
}

export const isParsed = (document: TextDocument): boolean =>
  document.languageId === 'python' && document.getText().length <= MAXIMUM_SOURCE_LENGTH;

/** Code without a sign of a network is left alone: its attributes are not layers. */
export const hintsAtNetwork = (text: string): boolean =>
  /torch|keras|\bnn\.|onnx|timm|tensorflow|flax|\bmodel\b/i.test(text);

/** The name exactly under an offset. */
export const nameAt = (document: TextDocument, offset: number): SourceName | null =>
  isParsed(document)
    ? pythonNameAt(treeOf(document), document.getText(), offset)
    : stringNameAt(document.getText(), offset);

/** All names on the line of an offset. */
export const namesOnLine = (document: TextDocument, offset: number): readonly SourceName[] =>
  isParsed(document)
    ? pythonNamesInStatement(treeOf(document), document.getText(), offset)
    : stringNamesInLine(document.getText(), offset);

/** Absolute path of a document; for a notebook cell, of its notebook. */
export function fileOf(uri: string): string {
  const url = new URL(uri);
  url.hash = '';
  url.search = '';
  return fileURLToPath(url.protocol === 'file:' ? url : new URL(`file://${url.pathname}`));
}

/** Models that a document's names may refer to: those it names itself, else the active one. */
export async function modelsFor(
  context: ServerContext,
  document: TextDocument,
): Promise<readonly string[]> {
  const active = await context.active.current();
  const named = modelPathsIn(document.getText())
    .map(reference => context.active.resolveReference(fileOf(document.uri), reference))
    .filter(model => model !== null);
  return [...new Set([...(active.model === null ? [] : [active.model]), ...named])];
}

/** The layer that a name means in the first model that has it. Models that cannot be read are passed over. */
export async function targetOf(
  context: ServerContext,
  document: TextDocument,
  source: SourceName,
): Promise<LayerTarget | null> {
  if (source.form === 'attribute' && !hintsAtNetwork(document.getText())) return null;
  for (const model of await modelsFor(context, document)) {
    const described = await context.models.describe(model).catch(() => null);
    const named = described && layerNamed(described.description.layers, source);
    if (named)
      return {
        model,
        ...named,
        range: { start: document.positionAt(source.from), end: document.positionAt(source.to) },
      };
  }
  return null;
}
