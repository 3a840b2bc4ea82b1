import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'opens',
  async run(t) {
    await t.step('the extension activates on a Python file', async () => {
      await t.openFile('shapes_cnn.py');
      await t.waitFor(
        'the extension is active',
        async () => t.processes('dist/server.js').length > 0,
      );
    });
    await t.step('the .onnx file opens in its own editor', async () => {
      const model = readdirSync(path.join(t.workspaceDir, 'models')).find(name =>
        /\.onnx$/.test(name),
      );
      if (model === undefined) throw new Error('The sample workspace has no model');
      await t.openFile(model);
      await t.webview(async frame => (await frame.locator('body').innerText()).includes(model));
      await t.screenshot('onnx editor');
    });
  },
};
