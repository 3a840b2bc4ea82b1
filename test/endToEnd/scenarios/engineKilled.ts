import type { Scenario } from '../scenario';

export const scenario: Scenario = {
  name: 'engine-killed',
  async run(t) {
    const shown = (layer: string): Promise<unknown> =>
      t.webview(frame =>
        frame.evaluate(wanted => (document.body.dataset['painted'] ?? '').includes(wanted), layer),
      );
    await t.openFile('shapes_cnn.py');
    await t.page.locator('.activitybar .action-label[aria-label*="Layer Lens"]').click();
    await t.step('the engine runs', async () => {
      await t.placeCursor('shapes_cnn.py', 'layer1 = ');
      await shown('layer1');
      if (t.processes('dist/engine.js').length !== 1)
        throw new Error('there is not exactly one engine');
    });
    await t.step(
      'an engine that is killed during a run costs that run, and the user is told once',
      async () => {
        const [engine] = t.processes('dist/engine.js');
        if (!engine) throw new Error('no engine');
        process.kill(engine.pid, 'SIGSTOP');
        await t.openFile('tiny_vit.py');
        await t.placeCursor('tiny_vit.py', 'patch_embed = ');
        await t.page.waitForTimeout(1_500);
        process.kill(engine.pid, 'SIGKILL');
        await t.waitFor(
          'one notification',
          async () => (await t.notifications()).filter(text => /engine/i.test(text)).length === 1,
        );
        await t.screenshot('told once');
      },
    );
    await t.step('the next request works', async () => {
      await t.openFile('shapes_cnn.py');
      await t.placeCursor('shapes_cnn.py', 'layer3 = ');
      await shown('layer3');
      const [engine] = t.processes('dist/engine.js');
      if (!engine) throw new Error('no new engine');
      if ((await t.notifications()).filter(text => /engine/i.test(text)).length > 1)
        throw new Error('told more than once');
      await t.screenshot('works again');
    });
  },
};
