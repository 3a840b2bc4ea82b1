import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export interface StepResult {
  readonly scenario: string;
  readonly step: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly error?: string;
}

/** Ends a scenario whose step has failed; the failure itself is in the report already. */
export class StepFailed extends Error {}

/** Collects the steps of all scenarios, prints each as it ends, and writes them as JSON. */
export class Report {
  readonly results: StepResult[] = [];

  /**
   * Runs one step and records it. A failing step calls `onFailure` (for a picture of the window)
   * and throws StepFailed, so that what builds on it is not tried.
   */
  async step<T>(
    scenario: string,
    step: string,
    work: () => Promise<T>,
    onFailure: () => Promise<void>,
  ): Promise<T> {
    const start = performance.now();
    try {
      const value = await work();
      this.record({ scenario, step, ok: true, ms: Math.round(performance.now() - start) });
      return value;
    } catch (error) {
      const ms = Math.round(performance.now() - start);
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.record({ scenario, step, ok: false, ms, error: text });
      await onFailure();
      throw new StepFailed(step);
    }
  }

  record(result: StepResult): void {
    this.results.push(result);
    const { scenario, step, ok, ms, error } = result;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${scenario}: ${step} (${ms} ms)`);
    if (error !== undefined) console.log(stripVTControlCharacters(error).replace(/^/gm, '     '));
  }

  get failed(): number {
    return this.results.filter(({ ok }) => !ok).length;
  }

  write(file: string): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(this.results, null, 2));
  }
}
