export interface ElementOptions {
  readonly class?: string;
  readonly id?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes an element. Text is always text: nothing a model or a path contains can become markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.id !== undefined) made.id = options.id;
  if (options.title !== undefined) made.title = options.title;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {}))
    made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The 2D context of a canvas. @throws Error where the page cannot draw at all. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this page has no 2D canvas');
  return context;
}

/** Sizes a canvas in CSS pixels with a backing store in device pixels; the context draws in CSS pixels afterwards. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context2d(canvas).setTransform(w / Math.max(width, 1), 0, 0, h / Math.max(height, 1), 0, 0);
}

/** A canvas that holds these pixels one to one, to be drawn at any size. RGBA, row by row. */
export function pixelCanvas(rgba: ImageData): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = rgba.width;
  canvas.height = rgba.height;
  context2d(canvas).putImageData(rgba, 0, 0);
  return canvas;
}

/** Calls a painter at most once per frame, however often it is asked. */
export function oncePerFrame(paint: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  };
}

/** Where the host's HTML wants the page. */
export const pageRoot = (): HTMLElement => document.getElementById('app') ?? document.body;
