import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'trust',
  options: { trust: true },
  async run(t) {
    const bodyText = async (page: string): Promise<string> => {
      const frame = await t.webview(each =>
        each.evaluate(wanted => document.body.classList.contains(wanted), page),
      );
      return frame.locator('body').innerText();
    };
    await t.step('the folder opens in restricted mode', async () => {
      await t.page
        .locator('.statusbar [id*="trust"], .statusbar-item', { hasText: 'Restricted Mode' })
        .first()
        .waitFor({ timeout: 30_000 });
    });
    await t.step('the structure is visible', async () => {
      await t.openFile('shapes_cnn.onnx');
      await t.waitFor('the layers', async () =>
        /layer2\.0\.conv1/.test(await bodyText('modelEditor')),
      );
      await t.screenshot('structure');
    });
    await t.step('nothing is run, and one sentence says why, with Manage Trust', async () => {
      await t.openFile('shapes_cnn.py');
      await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
      await t.placeCursor('shapes_cnn.py', 'layer2 = ');
      await t.waitFor(
        'the sentence',
        async () =>
          /trust/i.test(await bodyText('sidePanel')) &&
          /Manage Trust/.test(await bodyText('sidePanel')),
      );
      const engines = t.processes('dist/engine.js');
      for (const { pid } of engines) {
        const { readFileSync } = await import('node:fs');
        if (/onnxruntime/.test(readFileSync(`/proc/${pid}/maps`, 'utf8')))
          throw new Error('ONNX Runtime is loaded');
      }
      await t.screenshot('restricted');
    });
    await t.step('after the grant everything works', async () => {
      await t.command('Workspaces: Manage Workspace Trust');
      await t.page
        .locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' })
        .first()
        .click();
      // The page of the grant lies over the window and takes the keys until it is closed; its button took the focus with it.
      const granted = t.page.locator('.workspace-trust-editor', {
        hasText: 'You trust this folder',
      });
      await granted.waitFor();
      await granted.click({ position: { x: 20, y: 20 } });
      await t.page.keyboard.press('Escape');
      await granted.waitFor({ state: 'hidden' });
      await t.openFile('shapes_cnn.py');
      await t.placeCursor('shapes_cnn.py', 'layer3 = ');
      await t.webview(frame =>
        frame.evaluate(() => (document.body.dataset['painted'] ?? '').includes('layer3')),
      );
      await t.waitFor(
        'the lens above the layer',
        async () =>
          (await t.page.locator('.codelens-decoration', { hasText: '64 filters' }).count()) > 0,
      );
      await t.screenshot('granted');
    });
  },
};
