import type { Problem } from '../../../protocol/model';
import type { ByteSource, Span } from './graph';

/**
 * Protobuf wire format (protobuf.dev "Encoding") over a window of the file: structure is read, payloads are skipped by seeking.
 * Nothing here throws on bad bytes: what is wrong is reported and reading goes on after, or ends at, the message it is in.
 */

export type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly wire: WireType;
  /** Where the tag begins. */
  readonly start: number;
  /** The payload; for varints the varint itself. */
  readonly offset: number;
  readonly length: number;
  /** The two halves of a varint, unsigned. */
  readonly low: number;
  readonly high: number;
}

/** Where the file ends inside a field: `needed` is the size it would have at least. */
export interface Truncation {
  readonly at: number;
  readonly needed: number;
}

/** Bytes read ahead: few after a jump over a weight, more while the structure goes on. */
const FIRST_WINDOW = 8 * 1024;
const LARGEST_WINDOW = 256 * 1024;
const MAX_PROBLEMS = 50;
const MAX_STRING = 4 * 1024 * 1024;
/** Deepest nesting of groups, graphs and types. */
export const MAX_DEPTH = 64;
/** Estimated bytes that the parsed structure may take. */
const MAX_STRUCTURE = 256 * 1024 * 1024;
/** What one parsed message costs. */
const MESSAGE_COST = 160;
const TWO_32 = 2 ** 32;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
export const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes);

/** The signed 64-bit value of two halves, clamped to ±2^53. */
export function int64ToNumber(low: number, high: number): number {
  const value = (high | 0) * TWO_32 + low;
  return Math.max(-(2 ** 53), Math.min(2 ** 53, value));
}

/** The signed integer of a varint field, clamped to ±2^53; 0 for fields of another wire type. */
export const fieldInt = (field: Field): number =>
  field.wire === 'varint' ? int64ToNumber(field.low, field.high) : 0;

/** The message that is being read. */
interface Scope {
  readonly end: number;
  readonly what: string;
  /** True for the whole file: only there does a field that is too long mean that the file was cut. */
  readonly whole: boolean;
}

interface Varint {
  readonly low: number;
  readonly high: number;
  readonly end: number;
}

const NO_VARINT: Varint = { low: 0, high: 0, end: -1 };

export class WireReader {
  readonly problems: Problem[] = [];
  /** Set when the file ends inside a field. */
  truncation: Truncation | null = null;
  /** How many places in the file did not follow the wire format. */
  faults = 0;
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private ahead = FIRST_WINDOW;
  private structureLeft = MAX_STRUCTURE;

  constructor(readonly source: ByteSource) {}

  /** Notes something that reading goes on from. */
  report(severity: Problem['severity'], message: string, subject?: string): void {
    if (this.problems.length < MAX_PROBLEMS)
      this.problems.push({ severity, message, ...(subject ? { subject } : {}) });
  }

  private fault(offset: number, what: string, why: string): void {
    this.faults++;
    this.report('error', `The file is damaged at byte ${offset}, in ${what}: ${why}.`);
  }

  /**
   * Calls `visit` for each field of the message in `span`. A length that goes beyond the message is cut to it.
   * `what` names the message for problems ("a node").
   */
  fields(span: Span, what: string, visit: (field: Field) => void): void {
    const end = span.offset + span.length;
    const scope: Scope = { end, what, whole: span.offset === 0 && end === this.source.size };
    let position = span.offset;
    if (!this.charge(MESSAGE_COST)) return;
    while (position < end && this.structureLeft > 0) {
      const field = this.field(position, scope, 0);
      if (!field) return;
      position = field.offset + field.length;
      if (field.number > 0) visit(field);
    }
  }

  /** The field at `position`; number 0 for a skipped group, null where the message can't be read on. */
  private field(position: number, scope: Scope, depth: number): Field | null {
    const tag = this.varint(position, scope.end);
    if (tag.end < 0) return this.unreadable(position, scope);
    const number = tag.low >>> 3;
    if (number === 0 || tag.high !== 0) {
      this.fault(position, scope.what, 'an invalid field number');
      return null;
    }
    switch (tag.low & 7) {
      case 0: {
        const value = this.varint(tag.end, scope.end);
        if (value.end < 0) return this.unreadable(tag.end, scope);
        const { low, high } = value;
        return {
          number,
          wire: 'varint',
          start: position,
          offset: tag.end,
          length: value.end - tag.end,
          low,
          high,
        };
      }
      case 1:
        return this.payload(number, 'fixed64', position, tag.end, 8, scope);
      case 2: {
        const size = this.varint(tag.end, scope.end);
        if (size.end < 0) return this.unreadable(tag.end, scope);
        return this.payload(
          number,
          'bytes',
          position,
          size.end,
          size.high * TWO_32 + size.low,
          scope,
        );
      }
      case 3:
        return this.group(number, position, tag.end, scope, depth);
      case 5:
        return this.payload(number, 'fixed32', position, tag.end, 4, scope);
      default:
        this.fault(position, scope.what, 'an invalid wire type');
        return null;
    }
  }

  private unreadable(position: number, scope: Scope): null {
    if (!this.cutOff(scope, scope.end + 1, position))
      this.fault(position, scope.what, 'an integer without end');
    return null;
  }

  /** Whether something that needs the file to have `needed` bytes is missing because the file was cut. */
  private cutOff(scope: Scope, needed: number, position: number): boolean {
    if (scope.end < this.source.size) return false;
    // an integer of ten bytes without end is damage wherever it stands
    if (needed === scope.end + 1 && scope.end - position >= 10) return false;
    if (scope.whole && !this.truncation) this.truncation = { at: this.source.size, needed };
    return this.truncation !== null;
  }

  private payload(
    number: number,
    wire: WireType,
    start: number,
    offset: number,
    size: number,
    scope: Scope,
  ): Field | null {
    let length = size;
    const left = scope.end - offset;
    if (size > left) {
      if (!this.cutOff(scope, offset + size, offset + size))
        this.fault(start, scope.what, `a field of ${size} bytes where ${left} are left`);
      if (wire !== 'bytes') return null;
      length = left;
    }
    return { number, wire, start, offset, length, low: 0, high: 0 };
  }

  /** Skips a group (wire types 3 and 4), which ONNX does not use. */
  private group(
    number: number,
    start: number,
    from: number,
    scope: Scope,
    depth: number,
  ): Field | null {
    if (depth >= MAX_DEPTH) {
      this.fault(start, scope.what, 'groups nested too deep');
      return null;
    }
    let position = from;
    while (position < scope.end) {
      const tag = this.varint(position, scope.end);
      if (tag.end >= 0 && tag.high === 0 && (tag.low & 7) === 4) {
        if (tag.low >>> 3 !== number) break;
        const length = tag.end - from;
        return { number: 0, wire: 'bytes', start, offset: from, length, low: 0, high: 0 };
      }
      const inner = this.field(position, scope, depth + 1);
      if (!inner) return null;
      position = inner.offset + inner.length;
    }
    this.fault(start, scope.what, 'a group without end');
    return null;
  }

  private varint(position: number, end: number): Varint {
    this.load(position, 10);
    const { window } = this;
    let index = position - this.windowStart;
    const last = Math.min(end - this.windowStart, window.length, index + 10);
    let low = 0;
    let high = 0;
    for (let shift = 0; index < last; shift += 7) {
      const byte = window[index++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0, end: this.windowStart + index };
    }
    return NO_VARINT;
  }

  /** Makes the window hold `length` bytes from `position`, or up to the end of the file. */
  private load(position: number, length: number): void {
    const wanted = Math.min(position + length, this.source.size);
    if (position >= this.windowStart && wanted <= this.windowStart + this.window.length) return;
    const goesOn =
      position >= this.windowStart && position <= this.windowStart + this.window.length;
    this.ahead = goesOn ? Math.min(2 * this.ahead, LARGEST_WINDOW) : FIRST_WINDOW;
    const size = Math.max(0, Math.min(Math.max(this.ahead, length), this.source.size - position));
    this.window = this.source.read(position, size);
    this.windowStart = position;
  }

  /** The payload of a field or any other range; small ranges come out of the window, so keep no reference to it. */
  bytes(span: Span): Uint8Array {
    if (span.length > LARGEST_WINDOW) return this.source.read(span.offset, span.length);
    this.load(span.offset, span.length);
    const from = span.offset - this.windowStart;
    return this.window.subarray(from, from + span.length);
  }

  /** A string field; the end of very long ones is cut. Empty for fields of another wire type. */
  text(field: Field): string {
    if (field.wire !== 'bytes') return '';
    let { length } = field;
    if (length > MAX_STRING) {
      this.report('warning', `A text of ${length} bytes at byte ${field.offset} was cut.`);
      length = MAX_STRING;
    }
    if (!this.charge(2 * length + 16)) return '';
    return decodeText(this.bytes({ offset: field.offset, length }));
  }

  /** A float field; 0 for fields of another wire type. */
  float(field: Field): number {
    if (field.wire !== 'fixed32') return 0;
    const bytes = this.bytes(field);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  }

  /** Appends the integers of one occurrence of a repeated field, packed or not, each clamped to ±2^53. */
  ints(field: Field, into: number[]): void {
    this.varints(field, (low, high) => {
      if (this.charge(8)) into.push(int64ToNumber(low, high));
    });
  }

  /** Calls `visit` for each varint of one occurrence of a repeated field, packed or not. */
  varints(field: Field, visit: (low: number, high: number) => void): void {
    if (field.wire === 'varint') visit(field.low, field.high);
    else if (field.wire === 'bytes') {
      const end = field.offset + field.length;
      for (let position = field.offset; position < end && this.structureLeft > 0;) {
        const value = this.varint(position, end);
        if (value.end < 0)
          return this.fault(position, 'a list of integers', 'an integer without end');
        visit(value.low, value.high);
        position = value.end;
      }
    }
  }

  /** Appends the floats of one occurrence of a repeated field, packed or not. */
  floats(field: Field, into: number[]): void {
    if (field.wire === 'fixed32') into.push(this.float(field));
    else if (field.wire === 'bytes' && this.charge(2 * field.length)) {
      const bytes = this.bytes({ offset: field.offset, length: field.length - (field.length % 4) });
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let index = 0; index < bytes.length; index += 4) into.push(view.getFloat32(index, true));
    }
  }

  /** Takes from what the structure may hold; false once that is used up, and then no more is read. */
  private charge(bytes: number): boolean {
    if (this.structureLeft <= 0) return false;
    this.structureLeft -= bytes;
    if (this.structureLeft > 0) return true;
    this.report(
      'error',
      'The structure of the model is too large to be held; the rest of it was left out.',
    );
    return false;
  }
}
