import type { Command } from '../command';
import { attention } from './attention';
import { explain } from './explain';
import { filters } from './filters';
import { inspect } from './inspect';
import { preprocess } from './preprocess';
import { tensors } from './tensors';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  inspect,
  filters,
  tensors,
  explain,
  attention,
  preprocess,
];
