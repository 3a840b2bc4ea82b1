import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutputFolder, writeWhole } from '../../../server/src/cli/outputFolder';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-out-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('OutputFolder', () => {
  it('shows nothing until it is committed, and makes missing folders then', () => {
    const target = path.join(folder, 'a', 'b');
    const output = new OutputFolder(target);
    output.write('x.txt', 'new');
    expect(existsSync(path.join(folder, 'a'))).toBe(false);
    output.commit();
    expect(readFileSync(path.join(target, 'x.txt'), 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('leaves nothing behind when it is given up', () => {
    const output = new OutputFolder(path.join(folder, 'a', 'b'));
    output.write('x.txt', 'half');
    output.dispose();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('replaces files of the same name and keeps the others', () => {
    writeFileSync(path.join(folder, 'x.txt'), 'old');
    writeFileSync(path.join(folder, 'y.txt'), 'kept');
    const output = new OutputFolder(folder);
    output.write('x.txt', 'new');
    output.commit();
    expect(readFileSync(path.join(folder, 'x.txt'), 'utf8')).toBe('new');
    expect(readdirSync(folder).sort()).toEqual(['x.txt', 'y.txt']);
  });

  it('refuses places that cannot be written', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    expect(() => new OutputFolder(file)).toThrow('is a file; give a folder');
    expect(() => new OutputFolder(path.join(file, 'below'))).toThrow(
      'nothing can be written below it',
    );
    expect(() => writeWhole(folder, new Uint8Array())).toThrow('give the name of a file');
  });
});
