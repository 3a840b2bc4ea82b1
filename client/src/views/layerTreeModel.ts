import { layerLabel } from '../../../protocol/layerFacts';
import type { LayerInfo } from '../../../protocol/model';

/** A module with the modules and layers below it, or a layer. */
export interface TreeNode {
  readonly label: string;
  readonly path: string;
  readonly children: TreeNode[];
  readonly layer: LayerInfo | null;
  readonly parent: TreeNode | null;
}

/** The node of a layer, anywhere below. */
export function findNode(nodes: readonly TreeNode[], id: string): TreeNode | null {
  for (const node of nodes) {
    const found = node.layer?.id === id ? node : findNode(node.children, id);
    if (found) return found;
  }
  return null;
}

/**
 * Layers grouped by their module paths, in the order of the graph. A module that is one layer is that layer; what a module with layers
 * inside does by itself (a Relu, an Add) stands inside it, by its operator.
 */
export function layerTree(layers: readonly LayerInfo[]): readonly TreeNode[] {
  const root: TreeNode = { label: '', path: '', children: [], layer: null, parent: null };
  const modules = new Set(layers.flatMap(layer => enclosing(layer.modulePath)));
  for (const layer of layers) {
    const isOwn = layer.modulePath !== null && modules.has(layer.modulePath);
    const segments = [...(layer.modulePath?.split('.') ?? []), ...(isOwn ? [layer.op] : [])];
    let group = root;
    for (const segment of segments.slice(0, -1)) group = childGroup(group, segment);
    const label = segments.at(-1) ?? layerLabel(layer);
    group.children.push({
      label: isOwn ? label : distinct(label, layer, group.children),
      path: `layer:${layer.id}`,
      children: [],
      layer,
      parent: group === root ? null : group,
    });
  }
  return root.children;
}

/** A module that is called twice is numbered; another operator of the same module is named. */
function distinct(label: string, { op }: LayerInfo, siblings: readonly TreeNode[]): string {
  const taken = siblings.flatMap(({ layer, label: other }) =>
    layer && (other === label || other.startsWith(`${label} (`)) ? [layer.op] : [],
  );
  if (taken.length === 0) return label;
  return taken.every(other => other === op) ? `${label} (${taken.length + 1})` : `${label} · ${op}`;
}

/** `a` and `a.b` of `a.b.c`. */
function enclosing(modulePath: string | null): readonly string[] {
  const segments = modulePath?.split('.') ?? [];
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('.'));
}

function childGroup(parent: TreeNode, label: string): TreeNode {
  const path = `${parent.path}/${label}`;
  const found = parent.children.find(child => child.layer === null && child.label === label);
  if (found) return found;
  const group: TreeNode = {
    label,
    path,
    children: [],
    layer: null,
    parent: parent.parent === null && parent.label === '' ? null : parent,
  };
  parent.children.push(group);
  return group;
}
