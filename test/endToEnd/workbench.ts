import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame, Locator, Page } from 'playwright-core';
import type { RunningServer } from '../../scripts/vscodeServer.mjs';
import type { Report } from './report';

/** The themes that every picture has to look right in, by VS Code's label, and the class its window has in each. */
const themes = {
  dark: { label: 'Dark Modern', cssClass: 'vs-dark' },
  light: { label: 'Light Modern', cssClass: 'vs' },
  highContrast: { label: 'Dark High Contrast', cssClass: 'hc-black' },
  highContrastLight: { label: 'Light High Contrast', cssClass: 'hc-light' },
} as const;

export type Theme = keyof typeof themes;

export interface WorkbenchParts {
  readonly page: Page;
  readonly server: RunningServer;
  readonly report: Report;
  readonly scenarioName: string;
  readonly workspaceDir: string;
  readonly settingsFile: string;
  readonly screenshotsDir: string;
  /** What the browser's console said, in order. */
  readonly consoleLines: readonly string[];
}

/** Waits until the window of VS Code is there, which is when its status bar is. */
export const waitForWindow = (page: Page): Promise<unknown> =>
  page.locator('.monaco-workbench .statusbar').waitFor({ timeout: 60_000 });

/** A window of VS Code and what a person does in it. */
export class Workbench {
  readonly page: Page;
  readonly workspaceDir: string;
  readonly consoleLines: readonly string[];

  constructor(private readonly parts: WorkbenchParts) {
    this.page = parts.page;
    this.workspaceDir = parts.workspaceDir;
    this.consoleLines = parts.consoleLines;
  }

  /** One named, timed and counted step. The scenario ends at the first that fails. */
  step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const picture = (): Promise<void> => this.screenshot(`failed ${name}`).catch(() => undefined);
    return this.parts.report.step(this.parts.scenarioName, name, work, picture);
  }

  /** Tries `look` until it gives something other than undefined, null or false; an exception in it counts as not yet. */
  async waitFor<T>(
    what: string,
    look: () => Promise<T | undefined | null | false>,
    timeoutMs = 30_000,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    let last: unknown;
    for (;;) {
      try {
        const found = await look();
        if (found !== undefined && found !== null && found !== false) return found;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (performance.now() > deadline)
        throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
      await sleep(50);
    }
  }

  /** Runs a command from the palette by its full title ("Layer Lens: Visualize Layer"). */
  command(title: string): Promise<void> {
    return this.quickInput(() => this.page.keyboard.press('F1'), `>${title}`, title);
  }

  /** Types into the open quick input and accepts the row that has this text. */
  async pick(typed: string, rowText = typed): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor({ state: 'visible', timeout: 5_000 });
    await input.fill(typed, { timeout: 3_000 });
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    const row = rows.filter({ hasText: rowText }).first();
    await row.waitFor({ timeout: 10_000 });
    await row.click({ timeout: 3_000 });
  }

  /** Opens a file of the workspace by its name through Quick Open. */
  async openFile(name: string): Promise<void> {
    const open = (): Promise<void> => this.page.keyboard.press('Control+P');
    await this.quickInput(open, name, path.basename(name));
    await this.tab(path.basename(name)).waitFor({ timeout: 20_000 });
  }

  /** Opens a quick input and picks from it; begins again where a webview that loads takes the focus, which closes it. */
  private async quickInput(
    open: () => Promise<void>,
    typed: string,
    rowText: string,
  ): Promise<void> {
    await this.waitFor(
      `the row "${rowText}"`,
      async () => {
        const input = this.page.locator('.quick-input-widget input.input');
        if (await input.isVisible()) await this.page.keyboard.press('Escape');
        await open();
        await this.pick(typed, rowText);
        return true;
      },
      60_000,
    );
  }

  tab(label: string): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: label });
  }

  /** Puts the caret at the start of the n-th occurrence of `text` in the open editor of `file`. */
  async placeCursor(file: string, text: string, occurrence = 1): Promise<void> {
    const lines = readFileSync(path.join(this.workspaceDir, file), 'utf8').split(/\r?\n/);
    let left = occurrence;
    for (const [row, line] of lines.entries())
      for (let column = line.indexOf(text); column >= 0; column = line.indexOf(text, column + 1))
        if (--left === 0) {
          const open = async (): Promise<void> => {
            await this.tab(path.basename(file)).first().click();
            await this.page.keyboard.press('Control+G');
          };
          await this.quickInput(open, `:${row + 1},${column + 1}`, `line ${row + 1} `);
          return;
        }
    throw new Error(`${file} does not hold "${text}" ${occurrence} times`);
  }

  /**
   * Rests the mouse on `text` until there is a hover that `isReady` accepts, and gives that hover.
   * The mouse leaves and comes back between tries, because VS Code asks only then again.
   */
  async hover(
    file: string,
    text: string,
    isReady: (hover: Locator) => Promise<boolean> = hover => hasPicture(hover),
    timeoutMs = 30_000,
  ): Promise<Locator> {
    await this.placeCursor(file, text);
    const cursor = this.page.locator('.editor-instance .monaco-editor.focused .cursor').first();
    const visible = this.page.locator('.monaco-hover:visible').first();
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      // measured anew at each try: a code lens that arrives moves the line
      const box = await cursor.boundingBox();
      if (!box) throw new Error('The editor shows no caret');
      await this.page.mouse.move(box.x + 4, box.y + box.height * 5);
      await this.page.mouse.move(box.x + 4, box.y + box.height / 2);
      await this.page.mouse.move(box.x + 6, box.y + box.height / 2);
      const tryEnd = Math.min(deadline, performance.now() + 4_000);
      while (performance.now() < tryEnd) {
        if ((await visible.count()) > 0 && (await isReady(visible))) return visible;
        await sleep(50);
      }
    }
    throw new Error(`No hover over "${text}" as expected within ${timeoutMs} ms`);
  }

  /** The page inside a webview that `matches` accepts. A webview is a frame in a frame; only the inner one is the extension's. */
  webview(matches: (frame: Frame) => Promise<boolean>, timeoutMs = 30_000): Promise<Frame> {
    return this.waitFor(
      'A webview as expected',
      async () => {
        for (const frame of this.page.frames().filter(each => /\/pre\/fake\.html/.test(each.url())))
          if (await matches(frame).catch(() => false)) return frame;
        return undefined;
      },
      timeoutMs,
    );
  }

  /** The texts of the notifications that are on the screen. */
  notifications(): Promise<string[]> {
    return this.page.locator('.notification-list-item-message').allInnerTexts();
  }

  /** Changes user settings; the window knows of it after its next reload. */
  changeSettings(settings: Readonly<Record<string, unknown>>): void {
    const { settingsFile } = this.parts;
    const current: Record<string, unknown> = JSON.parse(readFileSync(settingsFile, 'utf8'));
    writeFileSync(settingsFile, JSON.stringify({ ...current, ...settings }, null, 2));
  }

  async setTheme(theme: Theme): Promise<void> {
    const { label, cssClass } = themes[theme];
    await this.command('Preferences: Color Theme');
    await this.pick(label);
    await this.page.locator(`.monaco-workbench.${cssClass}`).waitFor({ timeout: 15_000 });
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: 'commit' });
    await waitForWindow(this.page);
  }

  /** Keeps a picture of the window as artifacts/screenshots/<scenario>-<name>.png. */
  async screenshot(name: string): Promise<void> {
    const { screenshotsDir, scenarioName } = this.parts;
    mkdirSync(screenshotsDir, { recursive: true });
    const file = `${scenarioName}-${name}`.replaceAll(/[^\w.-]+/g, '-');
    await this.page.screenshot({ path: path.join(screenshotsDir, `${file}.png`) });
  }

  /** The processes of this window's server whose command line holds `part`, such as `dist/engine.js`. */
  processes(part: string): { readonly pid: number; readonly command: string }[] {
    return this.parts.server.processes().filter(({ command }) => command.includes(part));
  }
}

/** True when every picture in it has been decoded and there is one at least. */
export const hasPicture = async (within: Locator): Promise<boolean> => {
  const widths = await within
    .locator('img')
    .evaluateAll(images =>
      images.map(image => (image instanceof HTMLImageElement ? image.naturalWidth : 0)),
    );
  return widths.length > 0 && widths.every(width => width > 0);
};
