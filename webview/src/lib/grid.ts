import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import { context2d, element, fitCanvas, oncePerFrame } from './dom';
import {
  contentHeight,
  moveByKey,
  positionAt,
  scrollToShow,
  tileRectangle,
  visibleRange,
  type GridLayout,
  type Range,
  type Rectangle,
} from './gridLayout';
import { onThemeChange, readTheme, type Theme } from './theme';

/** What a grid shows and whom it tells. Positions are places in the grid, not channels. */
export interface GridOptions {
  readonly label: string;
  draw(context: CanvasRenderingContext2D, position: number, tile: Rectangle, theme: Theme): void;
  /** One short phrase for a screen reader. */
  describe(position: number): string;
  onSelect(position: number): void;
  onOpen(position: number): void;
  /** `x` and `y` in CSS pixels inside the tile; null when the pointer left. */
  onHover(at: { readonly position: number; readonly x: number; readonly y: number } | null): void;
  /** What is visible changed: scrolled, resized, other items. */
  onVisible(): void;
  onPainted(): void;
}

const GAP = 8;

/**
 * A virtualised grid of equal tiles on one canvas that stays in place while a spacer scrolls. The scroller is a list box whose
 * only option in the document is the selected tile.
 */
export class TileGrid implements Disposable {
  readonly root: HTMLElement;
  private readonly canvas = element('canvas', { attributes: { 'aria-hidden': 'true' } });
  private readonly spacer = element('div', { class: 'grid-spacer' });
  private readonly option = element('div', {
    class: 'visually-hidden',
    id: 'grid-option',
    attributes: { role: 'option', 'aria-selected': 'true' },
  });
  private readonly store = new DisposableStore();
  private theme = readTheme();
  private items = { count: 0, tileWidth: 96, tileHeight: 96 };
  private chosen: number | null = null;
  private width = 0;
  private height = 0;
  /** A scroll offset that was asked for while there was nothing to scroll yet. */
  private wantedTop: number | null = null;
  readonly repaint = oncePerFrame(() => this.paint());

  constructor(private readonly options: GridOptions) {
    this.root = element(
      'div',
      {
        class: 'grid',
        attributes: { tabindex: '0', role: 'listbox', 'aria-label': options.label },
      },
      this.canvas,
      this.spacer,
      this.option,
    );
    const resize = new ResizeObserver(() => this.measure());
    resize.observe(this.root);
    this.store.add({ dispose: () => resize.disconnect() });
    this.store.add(
      onThemeChange(() => {
        this.theme = readTheme();
        this.repaint();
      }),
    );
    this.listen();
  }

  get layout(): GridLayout {
    return { ...this.items, width: this.width, gap: GAP };
  }

  get scrollTop(): number {
    return this.root.scrollTop;
  }

  setItems(count: number, tileWidth: number, tileHeight: number): void {
    this.items = { count, tileWidth, tileHeight };
    this.measure();
  }

  setLabel(label: string): void {
    this.root.setAttribute('aria-label', label);
  }

  scrollTo(top: number): void {
    this.wantedTop = top;
    this.measure();
  }

  /** Marks a tile and brings it into view; null marks none. */
  select(position: number | null, reveal = true): void {
    this.chosen = position;
    if (position === null) {
      this.root.removeAttribute('aria-activedescendant');
      this.option.hidden = true;
    } else {
      this.option.hidden = false;
      this.option.textContent = this.options.describe(position);
      this.option.setAttribute('aria-posinset', String(position + 1));
      this.option.setAttribute('aria-setsize', String(this.items.count));
      this.root.setAttribute('aria-activedescendant', this.option.id);
      if (reveal && this.height > 0)
        this.root.scrollTop = scrollToShow(this.layout, position, this.scrollTop, this.height);
    }
    this.repaint();
  }

  /** What is to be seen now, and `ahead` screens further. */
  visible(ahead = 0): Range {
    return visibleRange(this.layout, this.scrollTop, this.height, ahead);
  }

  dispose(): void {
    this.store.dispose();
  }

  private measure(): void {
    this.width = this.root.clientWidth;
    this.height = this.root.clientHeight;
    if (this.width === 0 || this.height === 0) return;
    fitCanvas(this.canvas, this.width, this.height);
    this.spacer.style.height = `${Math.max(0, contentHeight(this.layout) - this.height)}px`;
    if (this.wantedTop !== null && this.items.count > 0) {
      this.root.scrollTop = this.wantedTop;
      this.wantedTop = null;
    }
    this.options.onVisible();
    this.repaint();
  }

  private paint(): void {
    if (this.width === 0 || this.height === 0) return;
    const context = context2d(this.canvas);
    const top = this.scrollTop;
    context.clearRect(0, 0, this.width, this.height);
    const { first, end } = this.visible();
    for (let position = first; position < end; position++) {
      const tile = tileRectangle(this.layout, position);
      const onScreen = { ...tile, y: tile.y - top };
      this.options.draw(context, position, onScreen, this.theme);
      if (position === this.chosen) this.outline(context, onScreen);
    }
    this.options.onPainted();
  }

  private outline(context: CanvasRenderingContext2D, tile: Rectangle): void {
    context.lineWidth = 2;
    context.strokeStyle = this.theme.focus;
    context.strokeRect(tile.x - 3, tile.y - 3, tile.width + 6, tile.height + 6);
  }

  private listen(): void {
    this.root.addEventListener('scroll', () => {
      this.options.onVisible();
      this.repaint();
    });
    this.root.addEventListener('keydown', event => this.onKey(event));
    this.canvas.addEventListener('click', event => {
      const hit = this.hit(event);
      if (!hit) return;
      this.select(hit.position, false);
      this.options.onSelect(hit.position);
      this.options.onOpen(hit.position);
    });
    this.canvas.addEventListener('pointermove', event => this.options.onHover(this.hit(event)));
    this.canvas.addEventListener('pointerleave', () => this.options.onHover(null));
    this.root.addEventListener('focus', () => {
      if (this.chosen !== null || this.items.count === 0) return;
      const { first } = this.visible();
      this.select(first);
      this.options.onSelect(first);
    });
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if ((event.key === 'Enter' || event.key === ' ') && this.chosen !== null) {
      event.preventDefault();
      this.options.onOpen(this.chosen);
      return;
    }
    const target = moveByKey(this.layout, this.chosen ?? 0, event.key, this.height);
    if (target === null) return;
    event.preventDefault();
    this.select(target);
    this.options.onSelect(target);
  }

  private hit(event: MouseEvent): { position: number; x: number; y: number } | null {
    const bounds = this.canvas.getBoundingClientRect();
    const x = event.clientX - bounds.left;
    const y = event.clientY - bounds.top + this.scrollTop;
    const position = positionAt(this.layout, x, y);
    if (position === null) return null;
    const tile = tileRectangle(this.layout, position);
    return { position, x: x - tile.x, y: y - tile.y };
  }
}
