import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { median, type Measurement } from '../../bench/measurement';
import type { Scenario } from '../scenario';
import { root } from '../session';

const LAYERS = [
  'layer1.0.conv1',
  'layer1.1.conv2',
  'layer2.0.conv1',
  'layer3.0.conv2',
  'layer4.1.conv2',
];
const MOVES = 20;
const CHANGES = 15;
/** The first changes are not counted. */
const WARM_UP = 5;
const resultFile = path.join(root, 'artifacts', 'bench', 'window.json');

const residentMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** In the real VS Code with a ResNet-18-sized model: from the key that moves the caret to the painted side panel, activation, memory. */
export const scenario: Scenario = {
  name: 'window',
  options: {
    settings: { 'layerLens.model.path': 'models/resnet18.onnx' },
    prepare: folder => {
      copyFileSync(
        path.join(root, 'test/generated/bench/resnet18.onnx'),
        path.join(folder, 'models', 'resnet18.onnx'),
      );
      writeFileSync(
        path.join(folder, 'visit.py'),
        ['import torch', ...LAYERS.map(layer => `"${layer}"`), ''].join('\n'),
      );
    },
  },
  async run(t) {
    const results: Measurement[] = [];
    const add = (
      name: string,
      value: number,
      unit: Measurement['unit'],
      aim: number | null = null,
    ): void => {
      results.push({ name, value, unit, aim });
    };
    await t.openFile('visit.py');
    await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
    const panel = await t.step('the side panel is painted', async () => {
      await t.placeCursor('visit.py', 'layer1.0.conv1');
      return t.webview(frame =>
        frame.evaluate(() => document.body.dataset['painted'] !== undefined),
      );
    });
    await t.step('the caret moves from layer to layer', async () => {
      const painted = (): Promise<string> =>
        panel.evaluate(() => document.body.dataset['painted'] ?? '');
      const times: number[] = [];
      for (let move = 0; move < MOVES + LAYERS.length * 2; move++) {
        const before = await painted();
        const done = panel.evaluate(
          last =>
            new Promise<number>(resolve => {
              const observer = new MutationObserver(() => {
                if (document.body.dataset['painted'] === last) return;
                observer.disconnect();
                resolve(performance.timeOrigin + performance.now());
              });
              observer.observe(document.body, { attributes: true });
            }),
          before,
        );
        const down = move % (2 * (LAYERS.length - 1)) < LAYERS.length - 1;
        await t.page.waitForTimeout(80);
        const pressed = Date.now();
        await t.page.keyboard.press(down ? 'ArrowDown' : 'ArrowUp');
        const ended = await done;
        if (move >= LAYERS.length * 2) times.push(ended - pressed);
      }
      add('Key that moves the caret to painted heatmap, warm', median(times), 'ms', 100);
    });
    await t.step('the class changes', async () => {
      const times: number[] = [];
      await t.placeCursor('visit.py', LAYERS.at(-1) ?? '');
      const menu = panel.locator('.picker-menu:popover-open');
      const open = async (typed: string): Promise<void> => {
        await panel.locator('.picker-button[aria-label^="Target:"]').click();
        await menu.locator('.picker-field').fill(typed);
      };
      await t.waitFor('the classes', async () => {
        await open('class 100');
        const isThere = (await menu.locator('.picker-option').count()) > 0;
        await t.page.keyboard.press('Escape');
        return isThere;
      });
      for (let change = 0; change < CHANGES; change++) {
        await open(`class ${100 + change}`);
        times.push(
          await panel.evaluate(
            () =>
              new Promise<number>(resolve => {
                const before = document.body.dataset['painted'];
                const observer = new MutationObserver(() => {
                  if (document.body.dataset['painted'] === before) return;
                  observer.disconnect();
                  resolve(performance.now() - clicked);
                });
                observer.observe(document.body, { attributes: true });
                const line = document.querySelector('.picker-menu:popover-open .picker-option');
                const clicked = performance.now();
                line?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
              }),
          ),
        );
        await t.page.waitForTimeout(1_000);
      }
      add(
        'Click on another class to painted heatmap, warm',
        median(times.slice(WARM_UP)),
        'ms',
        60,
      );
    });
    await t.step('memory of each process', async () => {
      for (const [name, part] of [
        ['extension host', 'extensionHost'],
        ['language server', 'dist/server.js'],
        ['engine', 'dist/engine.js'],
      ] as const) {
        const [found] = t.processes(part);
        if (found) add(`  memory of the ${name}`, residentMegabytes(found.pid), 'MB');
      }
    });
    await t.step('activation time', async () => {
      await t.command('Developer: Show Running Extensions');
      const row = t.page.locator('.runtime-extensions-editor .monaco-list-row', {
        hasText: 'Layer Lens',
      });
      const text = await t.waitFor(
        'the time',
        async () => /(?:Startup )?Activation: (\d+)ms/.exec(await row.innerText())?.[1],
      );
      add('Activation of the extension', Number(text), 'ms', 50);
    });
    mkdirSync(path.dirname(resultFile), { recursive: true });
    writeFileSync(resultFile, JSON.stringify(results, null, 2));
  },
};
