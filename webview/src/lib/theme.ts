import type { Disposable } from '../../../protocol/lifecycle';

/** Colours of the workbench as a canvas needs them: resolved, not as variables. */
export interface Theme {
  readonly foreground: string;
  readonly muted: string;
  readonly background: string;
  readonly placeholder: string;
  readonly border: string;
  readonly focus: string;
  readonly bar: string;
  readonly font: string;
  readonly monospace: string;
}

/** Reads the theme of the moment. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string, otherwise: string): string =>
    style.getPropertyValue(`--vscode-${name}`).trim() || otherwise;
  const foreground = read('foreground', 'CanvasText');
  return {
    foreground,
    muted: read('descriptionForeground', foreground),
    background: read('editor-background', 'Canvas'),
    placeholder: read('editorWidget-background', 'Canvas'),
    border: read('contrastBorder', read('panel-border', foreground)),
    focus: read('focusBorder', foreground),
    bar: read('charts-blue', foreground),
    font: `11px ${read('font-family', 'sans-serif')}`,
    monospace: `11px ${read('editor-font-family', 'monospace')}`,
  };
}

/** Tells when the workbench changes its theme: variables on the root element, class of the body. */
export function onThemeChange(listener: () => void): Disposable {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  return { dispose: () => observer.disconnect() };
}
