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

/** The side panel's page, once it has painted this. */
const painted = (t: Workbench, text: string): Promise<Frame> =>
  t.webview(frame =>
    frame.evaluate(wanted => (document.body.dataset['painted'] ?? '').includes(wanted), text),
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

const allDone = (shown: readonly ShownMap[]): boolean =>
  shown.length > 0 && shown.every(({ state }) => state === 'done');

/** Chooses a line of a menu with a search field. */
const choose = async (frame: Frame, menu: string, typed: string, line: string): Promise<void> => {
  await frame.locator(`.picker-button[aria-label^="${menu}:"]`).click();
  const open = frame.locator('.picker-menu:popover-open');
  await open.locator('.picker-field').fill(typed);
  await open.locator('.picker-option', { hasText: line }).first().click();
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
        await painted(t, `grad-cam`);
      }
      await t.screenshot('panel follows');
    });
    await t.step('another class gives another map', async () => {
      const frame = await pageOf(t, 'sidePanel');
      await choose(frame, 'Target', '', 'square');
      await painted(t, 'grad-cam 1');
      await t.screenshot('panel class');
    });
    await t.step('Explain Prediction opens the tab with two families', async () => {
      await t.command('Layer Lens: Explain Prediction');
      await maps(t, 'two maps', shown => shown.length === 2);
      await t.page.waitForTimeout(3_000);
      await t.screenshot('tab');
    });
  },
};
