import type * as vscode from 'vscode';
import type { LayerInfo } from '../../protocol/model';
import type { Event } from './event';
import type { Server } from './server';

/** A layer that is shown: which model, which layer. */
export interface ShownLayer {
  readonly model: string;
  readonly layer: LayerInfo;
  /** Of a module: its layer with the most weights, where `layer` has none. */
  readonly weightLayer?: LayerInfo | null;
}

/** What commands and views share. */
export interface Session {
  readonly extensionUri: vscode.Uri;
  readonly server: Server;
  readonly log: vscode.LogOutputChannel;
  /** The layer under the caret, or the pinned one. */
  readonly follow: {
    readonly shown: ShownLayer | null;
    readonly pinned: boolean;
    readonly onChanged: Event<ShownLayer | null>;
    show(layer: ShownLayer | null): void;
    pin(layer: ShownLayer): void;
    unpin(): void;
  };
  /** Models above the size setting that a person asked to load. */
  readonly loaded: Set<string>;
}
