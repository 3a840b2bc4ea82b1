import { describeModel } from '../../server/src/workspace/describeModel';

/** What listing one model in a fresh process costs. */
export interface ListingResult {
  readonly milliseconds: number;
  readonly extraMegabytes: number;
  readonly residentMegabytes: number;
  readonly layers: number;
}

/** Lists the layers of a model that this process has not seen. Peak memory is the operating system's own figure, not a sample. */
export async function measureListing(model: string): Promise<ListingResult> {
  const before = process.resourceUsage().maxRSS;
  const started = performance.now();
  const { description } = await describeModel(model, []);
  const milliseconds = performance.now() - started;
  return {
    milliseconds,
    extraMegabytes: (process.resourceUsage().maxRSS - before) / 1024,
    residentMegabytes: process.memoryUsage.rss() / 2 ** 20,
    layers: description.layers.length,
  };
}
