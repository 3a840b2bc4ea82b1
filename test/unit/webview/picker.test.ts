import { describe, expect, it } from 'vitest';
import { moveLine, MOST_LINES, searchItems } from '../../../webview/src/lib/pickerModel';

const item = (value: string, label: string, detail = '', group = '') => ({
  value,
  label,
  detail,
  group,
});

const items = [
  item('7', 'cock', '0.9', 'Likeliest'),
  item('1', 'goldfish', '1', 'All'),
  item('7', 'cock', '7', 'All'),
  item('17', 'peacock blue', '17', 'All'),
];

describe('a menu with a search field', () => {
  it('shows everything until something is typed', () => {
    expect(searchItems(items, '  ').lines).toEqual(items);
  });

  it('finds all words anywhere, what begins with them first, each value once', () => {
    expect(searchItems(items, 'COCK').lines.map(line => line.value)).toEqual(['7', '17']);
    expect(searchItems(items, 'blue pea').lines.map(line => line.value)).toEqual(['17']);
    expect(searchItems(items, 'nothing').lines).toEqual([]);
  });

  it('finds a class by its number first', () => {
    expect(searchItems(items.slice(1), '7').lines.map(line => line.value)).toEqual(['7', '17']);
  });

  it('puts a bounded number of lines into the page', () => {
    const many = Array.from({ length: 1000 }, (_, i) => item(String(i), `class ${i}`));
    const { lines, left } = searchItems(many, '');
    expect(lines).toHaveLength(MOST_LINES);
    expect(left).toBe(1000 - MOST_LINES);
  });

  it('is walked by keys', () => {
    expect(moveLine(5, 0, 'ArrowDown')).toBe(1);
    expect(moveLine(5, 4, 'ArrowDown')).toBe(4);
    expect(moveLine(5, 0, 'ArrowUp')).toBe(0);
    expect(moveLine(5, 2, 'End')).toBe(4);
    expect(moveLine(5, 2, 'a')).toBeNull();
    expect(moveLine(0, 0, 'ArrowDown')).toBeNull();
  });
});
