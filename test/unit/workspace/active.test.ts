import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Active } from '../../../server/src/workspace/active';
import { DEFAULT_SETTINGS } from '../../../server/src/workspace/settings';

describe('the picture that everything shows', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-active-'));
  const write = (name: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'x');
    return file;
  };
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('stays when another comes nearer to the model, and gives way when it is gone', async () => {
    write('models/net.onnx');
    const photo = write('images/dog.png');
    const active = new Active(
      [folder],
      { model: null, picture: null },
      true,
      () => DEFAULT_SETTINGS,
    );
    expect((await active.current()).picture).toBe(photo);
    const exported = write('net.heatmap.png');
    await active.rescan();
    expect((await active.current()).picture).toBe(photo);
    await active.choose({ picture: exported });
    expect((await active.choose({ picture: null })).picture).toBe(exported);
    rmSync(exported);
    await active.rescan();
    expect((await active.current()).picture).toBe(photo);
    active.dispose();
  });
});
