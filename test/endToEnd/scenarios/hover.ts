import { hasPicture } from '../workbench';
import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'hover',
  async run(t) {
    await t.openFile('shapes_cnn.py');
    await t.step(
      'hovering over a layer shows its filters, heatmap and strongest maps',
      async () => {
        await t.hover('shapes_cnn.py', 'layer2 = ', async hover => {
          const text = await hover.innerText();
          const isWhole = [/layer2/, /Grad-CAM of “/, /Visualize Layer/, /Pin/].every(part =>
            part.test(text),
          );
          return isWhole && (await hover.locator('img').count()) === 3 && hasPicture(hover);
        });
        await t.screenshot('layer');
      },
    );
    await t.step('a string that names a layer is a layer too', async () => {
      await t.openFile('predict.py');
      const hover = await t.hover('predict.py', 'shapes_cnn.onnx', async found =>
        /opset 17/.test(await found.innerText()),
      );
      if (!/Open Model/.test(await hover.innerText())) throw new Error('no link to the model');
      await t.screenshot('model');
    });
    await t.step('the link in the hover opens the viewer', async () => {
      await t.openFile('shapes_cnn.py');
      const hover = await t.hover('shapes_cnn.py', 'stem = ');
      await hover.locator('a', { hasText: 'Visualize Layer' }).first().click();
      await t.webview(frame =>
        frame.evaluate(() => /\|\d+$/.test(document.body.dataset['shown'] ?? '')),
      );
      await t.screenshot('viewer from hover');
    });
  },
};
