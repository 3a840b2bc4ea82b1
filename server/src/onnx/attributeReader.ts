import type { Node } from './graph';

/** A node with its attributes by type, and what they are where they are left out. An attribute of another type counts as left out. */
export class AttributeReader {
  constructor(readonly node: Node) {}

  get inputCount(): number {
    return this.node.inputs.length;
  }
  get outputCount(): number {
    return this.node.outputs.length;
  }
  /** False for inputs that were left out. */
  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }
  int(name: string, otherwise: number): number {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'int' ? attribute.value : otherwise;
  }
  /** A whole number that was written as an integer counts too. */
  float(name: string, otherwise: number): number {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'float' || attribute?.kind === 'int' ? attribute.value : otherwise;
  }
  string(name: string, otherwise: string): string {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'string' ? attribute.value : otherwise;
  }
  ints(name: string): readonly number[] | null {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'ints' ? attribute.value : null;
  }
  floats(name: string): readonly number[] | null {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === 'floats' ? attribute.value : null;
  }
}
