import type { LayerInfo } from '../../../protocol/model';

/** What a name means in a model. */
export interface FoundLayers {
  /**
   * The layers that the name stands for. One where it is clear (for a module: its output, see `findLayers`), several where the name is
   * shared, none where it fits nothing.
   */
  readonly exact: readonly LayerInfo[];
  /** All layers of the module that the name stands for, in the order of the graph; empty for other names. */
  readonly members: readonly LayerInfo[];
  /** The most similar names, best first, where nothing fits. */
  readonly near: readonly string[];
}

const NEAR_NAMES = 5;
/** Names are compared by edit distance up to this length only. */
const MAX_COMPARED = 120;
/** At most so many names are compared. */
const MAX_CANDIDATES = 20_000;

/**
 * Resolves any name a person would use for a layer. Tried in this order; the first that fits decides:
 *
 * 1. id; 2. node name; 3. the name of a parameter (`layer4.1.conv2.weight`); 4. a tensor that the layer makes;
 * 5. a module path (`layer4.1.conv2`), also as it is written in code (`model.layer4[1].conv2`, `self.layer4`, `layer4/1/conv2`), also of
 *    a container (`layer4`).
 *
 * A module stands for its output: the one layer with weights where all layers of the module carry the same path (a Linear exported as
 * MatMul and Add), else its last layer.
 */
export function findLayers(layers: readonly LayerInfo[], name: string): FoundLayers {
  const wanted = name.trim();
  if (wanted === '') return { exact: [], members: [], near: [] };
  const direct = DIRECT.map(fits => layers.filter(layer => fits(layer, wanted))).find(
    found => found.length > 0,
  );
  if (direct !== undefined) return { exact: direct, members: [], near: [] };
  for (const path of spellings(wanted)) {
    const members = layers.filter(
      layer => layer.modulePath !== null && isInside(layer.modulePath, path),
    );
    if (members.length > 0) return { exact: [outputOf(members, path)], members, near: [] };
  }
  return { exact: [], members: [], near: nearNames(layers, wanted) };
}

const DIRECT: readonly ((layer: LayerInfo, name: string) => boolean)[] = [
  (layer, name) => layer.id === name,
  (layer, name) => layer.name === name,
  (layer, name) => layer.parameters.some(parameter => parameter.name === name),
  (layer, name) => layer.outputs.includes(name),
];

const isInside = (path: string, module: string): boolean =>
  path === module || path.startsWith(`${module}.`);

function outputOf(members: readonly LayerInfo[], path: string): LayerInfo {
  const [first, ...others] = members;
  const last = others.at(-1) ?? first;
  const weighted = members.filter(layer =>
    layer.parameters.some(parameter => parameter.role === 'weight'),
  );
  const [only] = weighted;
  const oneModule = members.every(layer => layer.modulePath === path);
  if (oneModule && only !== undefined && weighted.length === 1) return only;
  if (last === undefined) throw new Error('a module has at least one layer');
  return last;
}

/**
 * A module path as people write it, the most literal first: `model.layer2[0].conv1` → `model.layer2.0.conv1`, `layer2.0.conv1`.
 * A leading object (`model`, `self`, `self.backbone`'s `self`) is dropped one at a time.
 */
function spellings(name: string): readonly string[] {
  const dotted = name
    .replace(/\[\s*['"]?(\w+)['"]?\s*\]/g, '.$1')
    .replace(/[/]/g, '.')
    .replace(/\(\s*\)/g, '')
    .replace(/\.(weight|bias)$/, '')
    .replace(/^\.+|\.+$/g, '');
  const withoutObject = dotted.replace(/^(self|model|net|network|module|cls)\./, '');
  const twice = withoutObject.replace(/^(model|net|network|module)\./, '');
  return [...new Set([dotted, withoutObject, twice])].filter(path => path !== '');
}

/** The names that differ least from this one, by edit distance; containing it counts as close. */
function nearNames(layers: readonly LayerInfo[], name: string): readonly string[] {
  const wanted = (spellings(name).at(-1) ?? name).slice(0, MAX_COMPARED).toLowerCase();
  const candidates = new Set<string>();
  for (const layer of layers) {
    for (const candidate of [layer.modulePath, layer.id])
      if (candidate !== null && candidates.size < MAX_CANDIDATES) candidates.add(candidate);
  }
  const scored = Array.from(candidates, candidate => {
    const text = candidate.slice(0, MAX_COMPARED).toLowerCase();
    const distance = text.includes(wanted) ? 1 : editDistance(wanted, text);
    return { candidate, distance };
  });
  const limit = Math.max(2, wanted.length * 0.6);
  return scored
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.candidate.length - b.candidate.length)
    .slice(0, NEAR_NAMES)
    .map(({ candidate }) => candidate);
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + change,
        ),
      );
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
