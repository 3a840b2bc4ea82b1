import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { chromium } from 'playwright-core';
import { ensureChromium } from '../../scripts/chromium.mjs';
import type { RunningServer, VsCodeServer } from '../../scripts/vscodeServer.mjs';
import { seedSettings, startServer } from '../../scripts/vscodeServer.mjs';
import type { Report } from './report';
import type { ScenarioOptions } from './scenario';
import { Workbench, waitForWindow } from './workbench';

export const root = path.resolve(import.meta.dirname, '../..');

/** What all scenarios of a run share. */
export interface Installation {
  readonly vscode: VsCodeServer;
  /** The folder in which the VSIX is installed. */
  readonly extensionsDir: string;
  readonly browser: Browser;
}

/** A Chromium without a window, which neither updates itself nor calls home. */
export const launchBrowser = async (): Promise<Browser> =>
  chromium.launch({
    executablePath: await ensureChromium(),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...[
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-dev-shm-usage',
      ],
    ],
  });

const isElsewhere = ({ protocol, hostname }: URL): boolean =>
  protocol.startsWith('http') && hostname !== '127.0.0.1' && hostname !== 'localhost';

/** A server with fresh user data, a copy of the sample workspace, and an empty browser profile. */
export class Session {
  private constructor(
    private readonly folder: string,
    readonly workspaceDir: string,
    readonly server: RunningServer,
    readonly context: BrowserContext,
  ) {}

  static async open(
    { vscode, extensionsDir, browser }: Installation,
    options: ScenarioOptions,
    serverArgs: readonly string[] = [],
  ): Promise<Session> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
    const workspaceDir = path.join(folder, 'shapes');
    cpSync(path.join(root, 'samples', 'shapes'), workspaceDir, { recursive: true });
    await options.prepare?.(workspaceDir);
    const dataDir = path.join(folder, 'server');
    seedSettings(path.join(dataDir, 'data', 'User'), {
      'git.enabled': false,
      'window.restoreWindows': 'none',
      'workbench.colorTheme': 'Dark Modern',
      ...options.settings,
    });
    const trust = options.trust ?? false;
    const env = options.env ?? {};
    const server = await startServer(vscode, {
      ...{ dataDir, extensionsDir, trust, env },
      args: serverArgs,
    });
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    await context.route(isElsewhere, route => route.abort());
    return new Session(folder, workspaceDir, server, context);
  }

  /** Opens the workspace in a window; `query` is added to the address. */
  async window(
    report: Report,
    scenarioName: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Workbench> {
    const page = await this.context.newPage();
    const consoleLines: string[] = [];
    page.on('console', message => consoleLines.push(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', error => consoleLines.push(`[pageerror] ${error.message}`));
    page.on('dialog', dialog => void dialog.accept());
    const address = new URLSearchParams({ folder: this.workspaceDir, ...query });
    await page.goto(`${this.server.origin}/?${address}`, { waitUntil: 'commit' });
    const workbench = new Workbench({
      ...{ page, server: this.server, report, scenarioName, consoleLines },
      workspaceDir: this.workspaceDir,
      settingsFile: path.join(this.folder, 'server', 'data', 'User', 'settings.json'),
      screenshotsDir: path.join(root, 'artifacts', 'screenshots'),
    });
    await waitForWindow(page);
    return workbench;
  }

  /** The end of what the server has said. */
  serverLog(): string {
    return readFileSync(path.join(this.folder, 'server', 'server.log'), 'utf8').slice(-4_000);
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
