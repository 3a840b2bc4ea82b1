import { describe, expect, it } from 'vitest';
import {
  columnCount,
  contentHeight,
  moveByKey,
  positionAt,
  scrollToShow,
  tileRectangle,
  visibleRange,
} from '../../../webview/src/lib/gridLayout';

// Width 340 holds three tiles of 100 with gaps of 10; eight tiles make three rows.
const layout = { width: 340, tileWidth: 100, tileHeight: 50, gap: 10, count: 8 };

describe('grid layout', () => {
  it('puts tiles in reading order', () => {
    expect(columnCount(layout)).toBe(3);
    expect(contentHeight(layout)).toBe(190);
    expect(tileRectangle(layout, 4)).toEqual({ x: 120, y: 70, width: 100, height: 50 });
  });

  it('keeps one column however narrow the page is', () => {
    expect(columnCount({ ...layout, width: 40 })).toBe(1);
    expect(contentHeight({ ...layout, width: 40 })).toBe(490);
  });

  it('finds the tile under every point of it, and none in gaps and behind the last', () => {
    for (let position = 0; position < layout.count; position++) {
      const { x, y, width, height } = tileRectangle(layout, position);
      expect(positionAt(layout, x, y)).toBe(position);
      expect(positionAt(layout, x + width - 0.5, y + height - 0.5)).toBe(position);
      expect(positionAt(layout, x + width + 5, y)).toBeNull();
    }
    expect(positionAt(layout, 230, 140)).toBeNull();
    expect(positionAt(layout, 5, 5)).toBeNull();
    expect(positionAt(layout, 338, 20)).toBeNull();
  });

  it('gives whole rows of what is visible, and of screens ahead', () => {
    expect(visibleRange(layout, 0, 60)).toEqual({ first: 0, end: 3 });
    expect(visibleRange(layout, 0, 60, 1)).toEqual({ first: 0, end: 6 });
    expect(visibleRange(layout, 75, 60)).toEqual({ first: 3, end: 8 });
    expect(visibleRange({ ...layout, count: 0 }, 0, 60)).toEqual({ first: 0, end: 0 });
  });

  it('covers every tile that a scroll offset shows', () => {
    const many = { ...layout, count: 1000 };
    for (let top = 0; top < 2000; top += 7) {
      const { first, end } = visibleRange(many, top, 200);
      for (let position = 0; position < 300; position++) {
        const { y, height } = tileRectangle(many, position);
        const seen = y + height > top && y < top + 200;
        if (seen) expect(position >= first && position < end).toBe(true);
      }
    }
  });

  it('walks by keys and stays inside', () => {
    const walk = (position: number, key: string) => moveByKey(layout, position, key, 120);
    expect(walk(0, 'ArrowRight')).toBe(1);
    expect(walk(0, 'ArrowLeft')).toBe(0);
    expect(walk(1, 'ArrowDown')).toBe(4);
    expect(walk(6, 'ArrowDown')).toBe(6);
    expect(walk(1, 'ArrowUp')).toBe(1);
    expect(walk(4, 'ArrowUp')).toBe(1);
    expect(walk(0, 'PageDown')).toBe(6);
    expect(walk(3, 'End')).toBe(7);
    expect(walk(3, 'Home')).toBe(0);
    expect(walk(3, 'a')).toBeNull();
    expect(walk(3, 'toString')).toBeNull();
    expect(moveByKey({ ...layout, count: 0 }, 0, 'ArrowRight', 120)).toBeNull();
  });

  it('scrolls as little as needed to show a tile whole', () => {
    expect(scrollToShow(layout, 0, 0, 120)).toBe(0);
    expect(scrollToShow(layout, 7, 0, 120)).toBe(70);
    expect(scrollToShow(layout, 0, 70, 120)).toBe(0);
  });
});
