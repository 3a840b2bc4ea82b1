import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'ways-in',
  async run(t) {
    await t.openFile('shapes_cnn.py');
    const status = t.page.locator('.statusbar-item', { hasText: 'shapes_cnn.onnx' });
    await t.step('the status bar says which model and picture', async () => {
      await t.waitFor('the item', async () =>
        /shapes_cnn\.onnx · checker\.png/.test(await status.innerText()),
      );
    });
    await t.step('the line above a definition opens the viewer', async () => {
      await t.placeCursor('shapes_cnn.py', 'layer2 = ');
      const lens = t.page.locator('.codelens-decoration a', { hasText: '32 filters 3×3' });
      await lens.first().waitFor();
      await lens.first().click();
      await t.webview(frame =>
        frame.evaluate(() => /layer2.*\|filters\|\d+$/.test(document.body.dataset['shown'] ?? '')),
      );
      await t.screenshot('from lens');
    });
    await t.step('Use as Input Image in the explorer changes the picture everywhere', async () => {
      const row = (name: string) =>
        t.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
      await row('images').first().click();
      await row('star.png').first().waitFor();
      await t.page
        .locator('.explorer-folders-view .monaco-list-row[aria-label="star.png"]')
        .click({ button: 'right' });
      const entry = t.page.locator('.monaco-menu .action-label', { hasText: 'Use as Input Image' });
      // a menu takes no click in its first moments
      await t.waitFor('the menu took the click', async () => {
        await entry.click({ timeout: 2_000 });
        return entry.waitFor({ state: 'hidden', timeout: 1_000 }).then(() => true);
      });
      await t.waitFor('the status bar', async () => /star\.png/.test(await status.innerText()));
      await t.webview(async frame =>
        /star\.png/.test(await frame.locator('body.viewer').innerText()),
      );
      await t.screenshot('other picture');
    });
    await t.step('the status bar opens a menu with the choices', async () => {
      await status.click();
      for (const entry of ['Choose Model', 'Choose Input', 'Visualize Layer'])
        await t.page
          .locator('.quick-input-list .monaco-list-row', { hasText: entry })
          .first()
          .waitFor();
      await t.screenshot('menu');
      await t.page.keyboard.press('Escape');
    });
  },
};
