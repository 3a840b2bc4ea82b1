import type { Frame } from 'playwright-core';
import type { Scenario } from '../scenario';
import type { Workbench } from '../workbench';

/** What the Heatmap tab says of each of its maps. */
interface ShownMap {
  readonly layer: string;
  readonly method: string | null;
  readonly target: number | null;
  readonly state: 'empty' | 'running' | 'done' | 'stopped' | 'failed';
  readonly partial: boolean;
}

const pageOf = (t: Workbench, page: 'sidePanel' | 'viewer'): Promise<Frame> =>
  t.webview(frame => frame.evaluate(name => document.body.classList.contains(name), page));

/** The side panel's page, once it has painted what this describes. */
const painted = (t: Workbench, what: RegExp): Promise<Frame> =>
  t.webview(async frame =>
    what.test(await frame.evaluate(() => document.body.dataset['painted'] ?? '')),
  );

const mapsOf = (frame: Frame): Promise<readonly ShownMap[]> =>
  frame.evaluate((): readonly ShownMap[] => JSON.parse(document.body.dataset['heatmap'] ?? '[]'));

/** Waits until the maps of the tab are as wanted. */
const maps = async (
  t: Workbench,
  what: string,
  wanted: (maps: readonly ShownMap[]) => boolean,
): Promise<Frame> => {
  const frame = await pageOf(t, 'viewer');
  await t.waitFor(what, async () => wanted(await mapsOf(frame)), 60_000);
  return frame;
};

const allDone = (shown: readonly ShownMap[], count: number): boolean =>
  shown.length === count && shown.every(({ state, partial }) => state === 'done' && !partial);

/** Chooses a line of a menu with a search field. */
const choose = async (frame: Frame, menu: string, typed: string, line: string): Promise<void> => {
  await frame.locator(`.picker-button[aria-label^="${menu}:"]`).click();
  const open = frame.locator('.picker-menu:popover-open');
  await open.locator('.picker-field').fill(typed);
  await open.locator('.picker-option', { hasText: line }).first().click();
};

/** Where the map of a pane is strongest, in shares of its height and width: what a screen reader is told. */
const peakOf = async (frame: Frame, pane: number): Promise<{ down: number; across: number }> => {
  const label = await frame
    .locator('.pane')
    .nth(pane)
    .locator('canvas[role=img]')
    .first()
    .getAttribute('aria-label');
  const found = /row (\d+), column (\d+) of (\d+)×(\d+)/.exec(label ?? '');
  if (!found) throw new Error(`no place in “${label}”`);
  const [row = 0, column = 0, rows = 1, columns = 1] = found.slice(1).map(Number);
  return { down: row / rows, across: column / columns };
};

export const scenario: Scenario = {
  name: 'heatmap',
  async run(t) {
    await t.openFile('shapes_cnn.py');
    await t.step('the side panel shows the Grad-CAM of the layer at the caret', async () => {
      await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
      await pageOf(t, 'sidePanel');
      for (const layer of ['layer1', 'layer2', 'layer3']) {
        await t.placeCursor('shapes_cnn.py', `${layer} = `);
        await painted(t, new RegExp(`${layer}.* grad-cam \\d`));
      }
      await t.screenshot('panel follows');
    });
    await t.step('another class gives another map', async () => {
      const frame = await pageOf(t, 'sidePanel');
      await choose(frame, 'Target', 'square', 'square');
      await painted(t, /grad-cam 1$/);
      await t.screenshot('panel class');
    });
    await t.step('a layer without a grid shows its activation and says so', async () => {
      await t.placeCursor('shapes_cnn.py', 'head = ');
      const frame = await painted(t, /activation/);
      await frame.locator('.finding', { hasText: 'No grid to lay a map on' }).waitFor();
      await t.screenshot('panel without grid');
      await t.placeCursor('shapes_cnn.py', 'layer3 = ');
      await painted(t, /grad-cam/);
    });
    await t.step('Explain Prediction compares methods of two families', async () => {
      await t.command('Layer Lens: Explain Prediction');
      const frame = await maps(t, 'two maps', shown => allDone(shown, 2));
      await frame
        .locator('.agreement', { hasText: /Rank correlation on 12×12: −?[01]\.\d\d/ })
        .waitFor();
      await frame.locator('.pane', { hasText: '12×12, upsampled ×8, bilinear' }).first().waitFor();
      await t.screenshot('two families');
    });
    await t.step('a third method makes a matrix', async () => {
      const frame = await pageOf(t, 'viewer');
      await choose(frame, 'Compare', 'guided backprop', 'Guided backprop');
      await maps(t, 'three maps', shown => allDone(shown, 3));
      await frame.locator('.agreement table').waitFor();
      await frame.locator('.pane-limit.is-warning').waitFor();
      await t.screenshot('matrix');
    });
    await t.step('the probe reads all maps at one place', async () => {
      const frame = await pageOf(t, 'viewer');
      await frame.locator('.pane-picture').first().hover();
      await t.waitFor(
        'three values',
        async () => (await frame.locator('.pane-value:not(:empty)').count()) === 3,
      );
    });
    await t.step('another class changes every map', async () => {
      const frame = await pageOf(t, 'viewer');
      await choose(frame, 'Target', 'dots', 'dots');
      await maps(t, 'maps of another class', shown => {
        const targets = new Set(shown.map(({ target }) => target));
        return allDone(shown, 3) && targets.size === 1 && !targets.has(null);
      });
      await choose(frame, 'Target', '', 'Highest');
      await maps(t, 'maps of the highest class', shown => allDone(shown, 3));
    });
    await t.step('Integrated Gradients is stopped and keeps what it has', async () => {
      const frame = await pageOf(t, 'viewer');
      await choose(frame, 'Method', 'integrated', 'Integrated Gradients');
      await frame.locator('vscode-button', { hasText: 'Options' }).click();
      const steps = frame.locator('.options-form input').first();
      await steps.fill('1000');
      await steps.press('Enter');
      await maps(t, 'a map so far', shown => shown[2]?.state === 'running' && shown[2].partial);
      await frame.locator('.busy vscode-button', { hasText: 'Stop' }).click();
      await maps(t, 'a stopped map', shown => shown[2]?.state === 'stopped' && shown[2].partial);
      await frame.locator('.pane', { hasText: 'the map is unfinished' }).waitFor();
      await t.screenshot('stopped');
    });
    await t.step('the twin that learned a watermark gives itself away', async () => {
      await t.command('Layer Lens: Choose Model');
      await t.pick('shapes_cnn_watermark.onnx');
      await t.command('Layer Lens: Choose Input');
      await t.pick('watermark_circle.png');
      await t.command('Layer Lens: Explain Prediction');
      const frame = await maps(t, 'maps of the twin', shown => allDone(shown, 2));
      for (const pane of [0, 1]) {
        const { down, across } = await peakOf(frame, pane);
        if (down < 0.75 || across < 0.75)
          throw new Error(`map ${pane} is strongest at ${down} down, ${across} across`);
      }
      await t.screenshot('watermark');
    });
    for (const theme of ['light', 'highContrast', 'dark'] as const)
      await t.step(`looks right in the ${theme} theme`, async () => {
        await t.setTheme(theme);
        await maps(t, 'the maps', shown => allDone(shown, 2));
        await t.page.waitForTimeout(500);
        await t.screenshot(`theme ${theme}`);
      });
    await t.step('a reload restores the maps', async () => {
      await t.page.waitForTimeout(1_500);
      await t.reload();
      await maps(t, 'the maps', shown => allDone(shown, 2));
      await t.screenshot('after reload');
    });
  },
};
