import path from 'node:path';
import { dependencies, version } from '../../../package.json';
import type { ModelFeeds } from '../../../protocol/methods';
import type { DescribedModel } from '../workspace/describeModel';
import { sha256File } from '../files/sha256File';

/** What every `result.json` says of where its numbers come from. */
export interface Provenance {
  readonly model: { readonly path: string; readonly sha256: Readonly<Record<string, string>> };
  readonly inputs: Readonly<Record<string, { readonly path: string; readonly sha256: string }>>;
  readonly preprocessing: readonly unknown[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Hashes the files of a model (external data included) and its inputs. */
export async function provenance(
  described: DescribedModel,
  feeds: ModelFeeds,
  signal: AbortSignal,
): Promise<Provenance> {
  const sha256: Record<string, string> = {};
  for (const file of described.files)
    sha256[path.basename(file.path)] = await sha256File(file.path, signal);
  const inputs: Record<string, { path: string; sha256: string }> = {};
  const preprocessing: unknown[] = [];
  for (const [name, feed] of Object.entries(feeds)) {
    if (feed.kind === 'default') continue;
    inputs[name] = { path: feed.path, sha256: await sha256File(feed.path, signal) };
    if (feed.kind === 'image') preprocessing.push(feed.preprocessing);
  }
  return {
    model: { path: described.description.path, sha256 },
    inputs,
    preprocessing,
    versions: {
      'layer-lens': version,
      'onnxruntime-node': dependencies['onnxruntime-node'],
      node: process.versions.node,
    },
  };
}

/** A result as text: numbers in full, two spaces deep, a line break at the end. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
