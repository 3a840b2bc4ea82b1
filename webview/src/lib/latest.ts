/** Runs one task at a time: a newer one cancels the one before. */
export class Latest {
  private controller: AbortController | null = null;

  get running(): boolean {
    return this.controller !== null;
  }

  /** Rejects as the task does; a task that was overtaken rejects as cancelled. */
  async run<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.cancel();
    const controller = new AbortController();
    this.controller = controller;
    try {
      return await task(controller.signal);
    } finally {
      if (this.controller === controller) this.controller = null;
    }
  }

  cancel(): void {
    this.controller?.abort();
    this.controller = null;
  }
}
