import type { AttributionMethod, Finding } from '../../../../protocol/attribution';
import type { Attribution, AttributionRequest } from './attributor';

/** What a person should know of a map: one sentence each, with the likely remedy. */
export async function findingsOf(
  { target }: AttributionRequest,
  attribution: Attribution,
  _method: AttributionMethod,
): Promise<readonly Finding[]> {
  await Promise.resolve();
  if (attribution.noPath)
    return [
      {
        kind: 'noPath',
        severity: 'warning',
        message: `Nothing leads from what is explained to ${target.words}: the map is empty.`,
      },
    ];
  return [];
}
