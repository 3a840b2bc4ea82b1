import type { Finding } from '../../../../protocol/attribution';
import type { Attribution } from './attributor';
import type { Target } from './targets';

/** What a person should know of a map: one sentence each, with the likely remedy. */
export function findingsOf(attribution: Attribution, target: Target): readonly Finding[] {
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
