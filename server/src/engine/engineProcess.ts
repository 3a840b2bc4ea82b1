import { fork, type ChildProcess, type Serializable } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Emitter, Owner } from '../../../protocol/lifecycle';
import type { ReplyMessage, RequestMessage } from '../../../protocol/rpc';
import { HEARTBEAT_FD, HeartbeatReader } from './heartbeat';

/** Longest line of the process's output that goes to the log. */
const LONGEST_LINE = 2000;

/** One run of the engine's executable: messages, memory reports, log lines, and its end. Disposing kills it and is silent. */
export class EngineProcess extends Owner {
  private readonly messages = this.register(new Emitter<ReplyMessage>());
  private readonly memory = this.register(new Emitter<number>());
  private readonly lines = this.register(new Emitter<string>());
  private readonly ends = this.register(new Emitter<string>());
  private readonly child: ChildProcess;

  readonly onMessage = this.messages.event;
  /** Resident bytes, several times a second, also while a native run blocks the process. */
  readonly onMemory = this.memory.event;
  readonly onLine = this.lines.event;
  /** It ended by itself; the value says how, for the log. Fires once. */
  readonly onEnd = this.ends.event;

  constructor(enginePath: string, execPath = process.execPath) {
    super();
    // Debugger flags of the parent would make the child fight for the same port.
    const env = { ...process.env };
    delete env['NODE_OPTIONS'];
    this.child = fork(enginePath, [], {
      execPath,
      serialization: 'advanced',
      execArgv: [],
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    });
    this.child.on('message', message => {
      if (isReply(message)) this.messages.fire(message);
    });
    this.listenForEnd();
    this.readLines(this.child.stdout);
    this.readLines(this.child.stderr);
    this.readHeartbeats();
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Messages to a process that just ended are lost; its end tells of it. */
  post(message: RequestMessage): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  override dispose(): void {
    super.dispose();
    this.child.kill('SIGKILL');
  }

  private listenForEnd(): void {
    let ended = false;
    const end = (how: string): void => {
      if (!ended) this.ends.fire(how);
      ended = true;
    };
    this.child.on('error', error => end(error.message));
    this.child.on('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
  }

  private readLines(stream: Readable | null): void {
    if (!stream) return;
    createInterface({ input: stream }).on('line', line =>
      this.lines.fire(line.slice(0, LONGEST_LINE)),
    );
  }

  private readHeartbeats(): void {
    const stream = this.child.stdio[HEARTBEAT_FD];
    if (!stream || !('setEncoding' in stream)) return;
    const reader = new HeartbeatReader();
    stream.setEncoding('latin1');
    stream.on('error', () => undefined);
    stream.on('data', (piece: string) => {
      const resident = reader.read(piece);
      if (resident !== null) this.memory.fire(resident);
    });
  }
}

const KINDS: readonly unknown[] = ['result', 'error', 'progress'] satisfies ReplyMessage['kind'][];

/** The other end is this project's own engine: its messages are known by their kind. */
function isReply(message: Serializable): message is ReplyMessage & Serializable {
  return typeof message === 'object' && 'kind' in message && KINDS.includes(message.kind);
}
