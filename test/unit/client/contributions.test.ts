import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS, HOVER_COMMANDS, VIEWS } from '../../../client/src/contributions';
import { DEFAULT_SETTINGS } from '../../../server/src/workspace/settings';
import manifest from '../../../package.json' with { type: 'json' };

const root = path.resolve(import.meta.dirname, '../../..');

describe('package.json and client/src/contributions.ts', () => {
  const { contributes } = manifest;
  const declared = contributes.commands.map(command => command.command);

  it('declare the same commands', () => {
    expect([...declared].sort()).toEqual(Object.values(COMMANDS).sort());
  });

  it('declare the same views', () => {
    const views = contributes.views.layerLens.map(view => view.id);
    expect(views).toEqual([VIEWS.sidePanel, VIEWS.layers]);
    expect(contributes.customEditors.map(editor => editor.viewType)).toEqual([VIEWS.modelEditor]);
  });

  it('menus, welcome views and hovers name only commands that exist', () => {
    const inMenus = Object.values(contributes.menus).flatMap(items =>
      items.map(item => item.command),
    );
    const inTexts = [
      ...JSON.stringify([contributes.viewsWelcome, contributes.walkthroughs]).matchAll(
        /command:(layerLens\.[\w.]+)/g,
      ),
    ].map(match => match[1] ?? '');
    for (const command of [...inMenus, ...inTexts, ...HOVER_COMMANDS])
      if (!command.endsWith('.focus')) expect(declared).toContain(command);
  });

  it('settings have the defaults that the server assumes', () => {
    const settings = new Map(
      contributes.configuration
        .flatMap(section => Object.entries(section.properties))
        .map(([key, value]) => [key, value.default]),
    );
    for (const [area, values] of Object.entries(DEFAULT_SETTINGS))
      for (const [name, value] of Object.entries(values))
        expect(settings.get(`layerLens.${area}.${name}`)).toEqual(value);
    for (const key of settings.keys()) expect(key).toMatch(/^layerLens\.\w+\.\w+$/);
  });

  it('sources name no other command or view of ours', () => {
    const known = new Set<string>([
      ...Object.values(COMMANDS),
      ...Object.values(VIEWS),
      'layerLens.active',
      'layerLens.hasModel',
      'layerLens.pinned',
      'layerLens.preprocessing',
      'layerLens.svg',
    ]);
    const files = readdirSync(path.join(root, 'client/src'), {
      recursive: true,
      encoding: 'utf8',
    }).filter(file => file.endsWith('.ts'));
    const named = files.flatMap(file =>
      [
        ...readFileSync(path.join(root, 'client/src', file), 'utf8').matchAll(
          /'(layerLens\.\w+)'/g,
        ),
      ].map(match => match[1] ?? ''),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(name => !known.has(name))).toEqual([]);
  });
});
