import type { ServerContext } from '../serverContext';
import { codeLens } from './codeLens';
import { compute } from './compute';
import type { Feature } from './feature';
import { hover } from './hover';
import { layers } from './layers';
import { models } from './models';

/** Every feature of the server, one file each. */
export const features = (context: ServerContext): readonly Feature[] => [
  codeLens(context),
  compute(context),
  hover(context),
  layers(context),
  models(context),
];
