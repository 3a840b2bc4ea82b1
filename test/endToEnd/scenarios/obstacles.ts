import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { hasPicture } from '../workbench';
import type { Scenario } from '../scenario';
import type { Workbench } from '../workbench';

const panel = (t: Workbench): Promise<Frame> =>
  t.webview(frame => frame.evaluate(() => document.body.classList.contains('sidePanel')));

/** The sentence in the panel, and the labels of its buttons. */
const said = async (t: Workbench): Promise<{ text: string; buttons: readonly string[] }> => {
  const message = (await panel(t)).locator('.message:visible');
  return {
    text: (await message.locator('.message-text').allInnerTexts()).join(' '),
    buttons: await message.locator('vscode-button').allInnerTexts(),
  };
};

const saying = (t: Workbench, sentence: RegExp, ...buttons: readonly string[]): Promise<true> =>
  t.waitFor(`${sentence} with ${buttons.join(', ')}`, async () => {
    const now = await said(t);
    return sentence.test(now.text) && now.buttons.join() === buttons.join();
  });

const paintedLayer = async (t: Workbench): Promise<string> =>
  (await panel(t)).evaluate(() => document.body.dataset['painted'] ?? '');

export const scenario: Scenario = {
  name: 'obstacles',
  options: {
    prepare: workspaceDir => {
      const folder = path.join(workspaceDir, '.vscode');
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        path.join(folder, 'settings.json'),
        JSON.stringify({ 'layerLens.engine.automaticRunLimitMB': 0 }),
      );
      writeFileSync(path.join(workspaceDir, 'images', 'unreadable.png'), 'not a picture');
    },
  },
  async run(t) {
    await t.openFile('shapes_cnn.py');
    await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
    await t.placeCursor('shapes_cnn.py', 'layer2 = ');
    await t.step(
      'a model above the limit is not run by itself: a hover shows filters only',
      async () => {
        await saying(t, /is not run by itself/, 'Load Model');
        // Counted while it stands: a code lens that arrives moves the line, and the hover goes.
        let pictures = 0;
        await t.hover('shapes_cnn.py', 'layer2 = ', async hover => {
          pictures = await hover.locator('img').count();
          return hasPicture(hover);
        });
        if (pictures !== 1) throw new Error('maps were computed');
        await t.screenshot('large model');
      },
    );
    await t.step('Load Model runs it', async () => {
      await (await panel(t)).locator('vscode-button', { hasText: 'Load Model' }).click();
      await t.waitFor('the heatmap', async () => (await paintedLayer(t)).includes('layer2'));
    });
    await t.step(
      'a broken picture is one sentence with one button over the last heatmap',
      async () => {
        await t.command('Layer Lens: Choose Input');
        await t.pick('unreadable.png');
        await saying(t, /unreadable\.png is not a picture/, 'Choose Input…');
        if (!(await paintedLayer(t)).includes('layer2')) throw new Error('the heatmap is gone');
        await t.screenshot('broken picture');
      },
    );
    await t.step(
      'a chosen picture that is deleted gives way to the first one near the model',
      async () => {
        rmSync(path.join(t.workspaceDir, 'images', 'unreadable.png'));
        await t.waitFor('no message', async () => (await said(t)).text === '');
      },
    );
    await t.step('without a model there are three ways on', async () => {
      const folder = path.join(t.workspaceDir, 'models');
      for (const file of readdirSync(folder).filter(name => name.endsWith('.onnx')))
        rmSync(path.join(folder, file));
      const ways = ['Open Sample', 'Choose Model…', 'How to Export'];
      await saying(t, /No \.onnx model in this workspace/, ...ways);
      await t.screenshot('no model');
      const told = await t.notifications();
      if (told.length > 0) throw new Error(`nothing was asked for, and yet: ${told.join('; ')}`);
    });
  },
};
