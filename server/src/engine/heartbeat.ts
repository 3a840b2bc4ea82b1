/** The pipe on which the engine's watchdog reports memory: the descriptor after stdin, stdout, stderr and the message channel. */
export const HEARTBEAT_FD = 4;

/** Time between two reports. It bounds how far memory can overshoot the limit, and how long an engine outlives its parent. */
export const HEARTBEAT_MS = 200;

/** Cuts the heartbeat stream into resident bytes; a part of a line waits for its end. */
export class HeartbeatReader {
  private rest = '';

  /** The newest complete report in this piece, or null. */
  read(piece: string): number | null {
    const lines = (this.rest + piece).split('\n');
    this.rest = lines.pop() ?? '';
    const newest = Number(lines.at(-1));
    return lines.length > 0 && Number.isFinite(newest) ? newest : null;
  }
}
