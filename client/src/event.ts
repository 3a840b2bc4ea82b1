import type { Disposable } from '../../protocol/lifecycle';

/** Subscribing to something that happens. */
export type Event<T> = (listener: (value: T) => void) => Disposable;
