const encoder = new TextEncoder();
const INITIAL = 256;

/** Writes protobuf messages (protobuf.dev "Encoding"). */
export class ProtoWriter {
  private buffer = new Uint8Array(INITIAL);
  private length = 0;

  /** The message so far; a view, not a copy. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** An integer field; negative ones are written as 64-bit two's complement. */
  int(field: number, value: number | bigint): void {
    this.varint(field * 8);
    this.varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.raw(value);
  }

  text(field: number, value: string): void {
    this.bytes(field, encoder.encode(value));
  }

  float(field: number, value: number): void {
    this.varint(field * 8 + 5);
    this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  message(field: number, build: (writer: ProtoWriter) => void): void {
    const inner = new ProtoWriter();
    build(inner);
    this.bytes(field, inner.finish());
  }

  private varint(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
      let rest = value;
      for (; rest > 0x7f; rest >>>= 7) this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      this.buffer[this.length++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.buffer[this.length++] = Number(rest);
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.buffer.length));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
