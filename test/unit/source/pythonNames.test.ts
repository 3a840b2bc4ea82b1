import { describe, expect, it } from 'vitest';
import {
  parsePython,
  pythonAttributeAssignments,
  pythonNameAt,
  pythonNamesInStatement,
} from '../../../server/src/source/pythonNames';

/** The name at the `|` in a text. */
const at = (marked: string): ReturnType<typeof pythonNameAt> => {
  const text = marked.replace('|', '');
  return pythonNameAt(parsePython(text), text, marked.indexOf('|'));
};

describe('names in Python', () => {
  it('an attribute is named from its root on, without and with the root', () => {
    expect(at('x = self.lay|er1(x)')?.names).toEqual(['layer1', 'self.layer1']);
    expect(at('x = model.layer2[0].co|nv1.weight')?.names).toEqual([
      'layer2[0].conv1',
      'model.layer2[0].conv1',
    ]);
    expect(at("x = net.blocks['a'].co|nv(x)")?.names).toEqual([
      'blocks[a].conv',
      'net.blocks[a].conv',
    ]);
  });

  it('the caret on an earlier link names only up to there', () => {
    expect(at('x = model.lay|er2[0].conv1')?.names[0]).toBe('layer2');
  });

  it('a computed index is no name', () => {
    expect(at('x = model.layer2[i].co|nv1')).toBeNull();
  });

  it('a string literal is its content, whatever its quotes and prefix', () => {
    expect(at('return_nodes={"layer4.1|.relu": "x"}')?.names).toEqual(['layer4.1.relu']);
    expect(at("x = r'layer|1'")).toMatchObject({
      names: ['layer1'],
      form: 'string',
      from: 6,
      to: 12,
    });
    expect(at("x = '''layer|1'''")?.names).toEqual(['layer1']);
  });

  it('positions are UTF-16 units after text outside the basic plane', () => {
    const text = 'é = "𝒳𝒳"; y = self.conv1';
    expect(pythonNameAt(parsePython(text), text, text.length - 2)).toMatchObject({
      from: text.length - 5,
      to: text.length,
    });
  });

  it('plain names, keywords and numbers are none', () => {
    for (const text of ['x = lay|er1', 'de|f f(): pass', 'x = 12|3', '# self.lay|er1'])
      expect(at(text)).toBeNull();
  });

  it('a line gives its names in reading order, half typed code too', () => {
    const text = 'def forward(self, x):\n    x = self.relu(self.bn1(self.conv1(x\n';
    const names = pythonNamesInStatement(parsePython(text), text, text.indexOf('relu')).map(
      name => name.names[0],
    );
    expect(names).toEqual(['relu', 'bn1', 'conv1']);
  });

  it('modules are where attributes of self are assigned', () => {
    const text =
      'class A:\n  def __init__(self):\n    self.a = nn.Conv2d(3, 4, 3)\n    other.b = 1\n    self.c: int = 3\n    x = 5\n';
    expect(pythonAttributeAssignments(parsePython(text), text).map(name => name.names[0])).toEqual([
      'a',
      'c',
    ]);
  });
});
