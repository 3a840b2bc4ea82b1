import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'model-editor',
  async run(t) {
    const model = path.join(t.workspaceDir, 'models', 'shapes_cnn.onnx');
    const text = async (): Promise<string> => {
      const frame = await t.webview(each =>
        each.evaluate(() => document.body.classList.contains('modelEditor')),
      );
      return frame.locator('body').innerText();
    };
    await t.openFile('shapes_cnn.onnx');
    await t.step(
      'the editor shows summary, preprocessing with its sources, and the layers',
      async () => {
        await t.waitFor('the layers', async () => /layer2\.0\.conv1/.test(await text()));
        const shown = await text();
        for (const wanted of [
          /pytorch/,
          /opset|17/,
          /pixel_values/,
          /preprocessor_config\.json/,
          /stem\.0/,
        ])
          if (!wanted.test(shown))
            throw new Error(`${wanted} is missing in ${shown.slice(0, 500)}`);
        await t.screenshot('summary');
      },
    );
    await t.step('the search narrows the table, Enter opens the viewer', async () => {
      const frame = await t.webview(each =>
        each.evaluate(() => document.body.classList.contains('modelEditor')),
      );
      const search = frame
        .locator('vscode-text-field, input[type=search], input[type=text]')
        .first();
      await search.click();
      await t.page.keyboard.type('conv2');
      await t.waitFor(
        'only conv2',
        async () => !/stem\.0/.test(await text()) && /layer3\.0\.conv2/.test(await text()),
      );
      await t.screenshot('search');
      await frame.locator('[role=row]', { hasText: 'layer3.0.conv2' }).first().click();
      await t.webview(each =>
        each.evaluate(() => /conv2.*\|\d+$/.test(document.body.dataset['shown'] ?? '')),
      );
      await t.screenshot('viewer from table');
    });
    await t.step('a model that changes on disk updates what is open', async () => {
      const whole = readFileSync(model);
      copyFileSync(path.join(t.workspaceDir, 'models', 'tiny_vit.onnx'), model);
      await t.waitFor('the other model', async () => /float32 1×3×96×96/.test(await text()));
      await t.screenshot('changed');
      writeFileSync(model, whole);
      await t.waitFor('the first model again', async () => /layer3\.0\.conv2/.test(await text()));
    });
    await t.step(
      'a broken file keeps the last picture and says in one sentence what is wrong',
      async () => {
        writeFileSync(model, readFileSync(model).subarray(0, 50_000));
        await t.waitFor(
          'the sentence',
          async () => /truncated|being written|broken/i.test(await text()),
          60_000,
        );
        if (!/layer3\.0\.conv2/.test(await text())) throw new Error('the table is gone');
        await t.screenshot('broken');
      },
    );
    for (const theme of ['light', 'highContrast'] as const)
      await t.step(`looks right in the ${theme} theme`, async () => {
        await t.setTheme(theme);
        await t.page.waitForTimeout(500);
        await t.screenshot(`theme ${theme}`);
      });
  },
};
