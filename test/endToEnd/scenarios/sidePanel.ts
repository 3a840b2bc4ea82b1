import type { Frame } from 'playwright-core';
import type { Scenario } from '../scenario';
import type { Workbench } from '../workbench';

const paintedLayer = (t: Workbench, layer: string): Promise<Frame> =>
  t.webview(frame =>
    frame.evaluate(wanted => (document.body.dataset['painted'] ?? '').includes(wanted), layer),
  );

export const scenario: Scenario = {
  name: 'side-panel',
  async run(t) {
    await t.openFile('shapes_cnn.py');
    await t.step('the activity bar opens the panel', async () => {
      await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
      await t.webview(frame => frame.evaluate(() => document.body.classList.contains('sidePanel')));
    });
    await t.step('the heatmap follows the cursor from layer to layer', async () => {
      for (const layer of ['layer1', 'layer2', 'layer3']) {
        await t.placeCursor('shapes_cnn.py', `${layer} = `);
        await paintedLayer(t, layer);
      }
      await t.screenshot('follows');
    });
    await t.step('the tree lists the layers and says how strongly they answer', async () => {
      const tree = t.page.locator('.pane', { hasText: 'Layers' }).locator('.monaco-list-row');
      await t.waitFor('rows', async () => (await tree.count()) > 4);
      await t.waitFor(
        'icons of strength',
        async () =>
          (await t.page.locator('.custom-view-tree-node-item-icon[style*="strength"]').count()) > 0,
      );
      await t.screenshot('tree');
    });
    await t.step('pinning holds the layer', async () => {
      await t.placeCursor('shapes_cnn.py', 'layer1 = ');
      const frame = await paintedLayer(t, 'layer1');
      await frame.locator('#pin, [aria-label*="Pin"], [title*="Pin"]').first().click();
      await t.placeCursor('shapes_cnn.py', 'layer3 = ');
      await t.page.waitForTimeout(1_500);
      await paintedLayer(t, 'layer1');
      await t.screenshot('pinned');
    });
    for (const theme of ['light', 'highContrast'] as const)
      await t.step(`looks right in the ${theme} theme`, async () => {
        await t.setTheme(theme);
        await t.page.waitForTimeout(500);
        await t.screenshot(`theme ${theme}`);
      });
  },
};
