import type { Frame } from 'playwright-core';
import type { Scenario } from '../scenario';
import type { Workbench } from '../workbench';

/** The viewer's page, once it has painted tiles of a tab. */
const painted = (t: Workbench, tab: 'filters' | 'maps', layer = ''): Promise<Frame> =>
  t.webview(frame =>
    frame.evaluate(
      ([wantedTab, wantedLayer]) => {
        const [shownLayer = '', shownTab, count] = (document.body.dataset['shown'] ?? '').split(
          '|',
        );
        return (
          shownTab === wantedTab && Number(count) > 0 && shownLayer.includes(wantedLayer ?? '')
        );
      },
      [tab, layer] as const,
    ),
  );

/** Distinct colours on the largest canvas of a page: an empty or flat picture has few. */
const colours = (frame: Frame): Promise<number> =>
  frame.evaluate(() => {
    const canvases = [...document.querySelectorAll('canvas')].sort(
      (a, b) => b.width * b.height - a.width * a.height,
    );
    const [canvas] = canvases;
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return 0;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set<number>();
    for (let at = 0; at < data.length; at += 4)
      seen.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
    return seen.size;
  });

export const scenario: Scenario = {
  name: 'visualize',
  async run(t) {
    await t.openFile('shapes_cnn.py');
    await t.placeCursor('shapes_cnn.py', 'stem = ');
    await t.step(
      'Visualize Layer opens the viewer beside the code with the filters of the layer',
      async () => {
        await t.command('Layer Lens: Visualize Layer');
        const frame = await painted(t, 'filters', 'stem.0');
        const seen = await colours(frame);
        if (seen < 50) throw new Error(`only ${seen} colours`);
        await t.screenshot('filters');
      },
    );
    await t.step('its feature maps stand in the other tab', async () => {
      const frame = await painted(t, 'filters');
      await frame.locator('[role=tab]', { hasText: 'Feature maps' }).click();
      const maps = await painted(t, 'maps', 'stem.0');
      const seen = await colours(maps);
      if (seen < 50) throw new Error(`only ${seen} colours`);
      await t.screenshot('maps');
    });
    await t.step(
      'Enter enlarges a channel, the probe reads its values, Escape goes back',
      async () => {
        const frame = await painted(t, 'maps');
        await frame.locator('.grid').click({ position: { x: 40, y: 40 } });
        await frame.locator('.enlarged-canvas').hover();
        await t.waitFor('the readout of the probe', async () =>
          /= [−-]?[\d.]/.test(await frame.locator('#readout').innerText()),
        );
        await t.screenshot('enlarged');
        await t.page.keyboard.press('Escape');
      },
    );
    for (const theme of ['light', 'highContrast', 'dark'] as const)
      await t.step(`looks right in the ${theme} theme`, async () => {
        await t.setTheme(theme);
        await painted(t, 'maps');
        await t.page.waitForTimeout(500);
        await t.screenshot(`theme ${theme}`);
      });
    await t.step('a reload restores the view', async () => {
      const before = await (
        await painted(t, 'maps')
      ).evaluate(() => document.body.dataset['shown']);
      await t.page.waitForTimeout(1_500);
      await t.reload();
      const frame = await painted(t, 'maps', 'stem.0');
      const after = await frame.evaluate(() => document.body.dataset['shown']);
      if (before?.split('|')[0] !== after?.split('|')[0])
        throw new Error(`${before} became ${after}`);
      await t.screenshot('after reload');
    });
  },
};
