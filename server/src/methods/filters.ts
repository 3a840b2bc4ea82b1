import type { FiltersParams, FilterView } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { Model } from '../onnx/graph';
import { defaultView, fillTile, filterViews, planesOf } from './filterTiles';
import { layerById } from './layerMaps';
import { layerWeight, type LayerWeight } from './layerWeight';
import type { Method, MethodContext } from './method';
import { leftOutNotes, summarize } from './statistics';

/** Numbers of a filter that `statistics` holds. */
const STATISTICS = 4;

interface WeightSummary {
  readonly statistics: Float32Array;
  readonly leftOut: number;
}
interface Summaries {
  readonly weights: Map<string, WeightSummary>;
  readonly maxima: Map<string, number>;
}

/** Numbers over whole weights, which every page of tiles repeats; forgotten with the model. */
const summaries = new WeakMap<Model, Summaries>();

function summariesOf(model: Model): Summaries {
  const known = summaries.get(model);
  if (known) return known;
  const made: Summaries = { weights: new Map(), maxima: new Map() };
  summaries.set(model, made);
  return made;
}

/** A layer's weights as tiles: only those asked for are computed, the statistics cover all filters. */
export const filters: Method<'filters'> = {
  name: 'filters',
  runs: false,
  async compute(params, context) {
    const weight = layerWeight(context, layerById(context, params.layer));
    const { bank } = weight;
    const view = viewOf(params, weight);
    const slice = sliceOf(params, weight);
    const { statistics, leftOut } = weightSummary(weight, context);
    const first = Math.min(Math.max(0, params.first), bank.filters);
    const count = Math.min(Math.max(0, params.count), bank.filters - first);
    return {
      layer: weight.layer.id,
      tensor: weight.name,
      dtype: weight.dtype,
      shape: weight.tensor.shape,
      geometry: weight.geometry,
      filters: bank.filters,
      slices: bank.slices,
      view,
      views: filterViews(bank),
      slice,
      rows: bank.rows,
      columns: bank.columns,
      planes: planesOf(view),
      first,
      values: filterTiles(weight, view, slice, first, count, context.signal),
      statistics,
      sharedMaximum: sharedMaximum(weight, view, slice, context),
      notes: [
        ...weight.notes,
        ...(view === 'rgb' ? [RGB_NOTE] : []),
        ...leftOutNotes(leftOut, bank.filters * bank.slices * bank.positions.length),
      ],
    };
  },
};

const RGB_NOTE =
  'The input channels 0, 1, 2 are drawn as red, green, blue: a model that is fed BGR shows red and blue exchanged.';

/** @throws UserError `usage` for a view that the weight does not have. */
export function viewOf(params: Pick<FiltersParams, 'view'>, weight: LayerWeight): FilterView {
  const views = filterViews(weight.bank);
  const view = params.view ?? defaultView(weight.bank);
  if (!views.includes(view))
    throw new UserError(
      'usage',
      `The weights of "${weight.layer.id}" have no view "${view}"; choose ${views.join(', ')}.`,
    );
  return view;
}

/** @throws UserError `outOfRange` for a slice that the weight does not have. */
export function sliceOf(params: Pick<FiltersParams, 'slice'>, weight: LayerWeight): number {
  const slice = params.slice ?? 0;
  if (!Number.isInteger(slice) || slice < 0 || slice >= weight.bank.slices)
    throw new UserError(
      'outOfRange',
      `The filters of "${weight.layer.id}" have the slices 0 to ${weight.bank.slices - 1}; ${slice} is none of them.`,
    );
  return slice;
}

/** Tiles [count, planes, rows, columns] from filter `first` on. */
export function filterTiles(
  weight: LayerWeight,
  view: FilterView,
  slice: number,
  first: number,
  count: number,
  signal: AbortSignal,
): Float32Array {
  const length = planesOf(view) * weight.bank.positions.length;
  const values = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    signal.throwIfAborted();
    fillTile(
      weight.bank,
      weight.read,
      first + i,
      view,
      slice,
      values.subarray(i * length, (i + 1) * length),
    );
  }
  return values;
}

/** [filters, 4]: minimum, maximum, mean and standard deviation of each filter. */
function weightSummary(weight: LayerWeight, context: MethodContext): WeightSummary {
  const known = summariesOf(context.model).weights;
  const made = known.get(weight.layer.id) ?? summarizeFilters(weight, context.signal);
  known.set(weight.layer.id, made);
  return made;
}

function summarizeFilters({ bank, read }: LayerWeight, signal: AbortSignal): WeightSummary {
  const area = bank.positions.length;
  const statistics = new Float32Array(bank.filters * STATISTICS);
  let leftOut = 0;
  for (let filter = 0; filter < bank.filters; filter++) {
    signal.throwIfAborted();
    const base = bank.filterOffset(filter);
    const summary = summarize(bank.slices * area, i => {
      const slice = Math.floor(i / area);
      return read(base + slice * bank.sliceStride + (bank.positions[i - slice * area] ?? 0));
    });
    statistics.set(
      [summary.minimum, summary.maximum, summary.mean, Math.sqrt(summary.variance)],
      filter * STATISTICS,
    );
    leftOut += summary.leftOut;
  }
  return { statistics, leftOut };
}

/** Largest finite magnitude over the tiles of all filters. Components have length 1, so that 1 bounds theirs without computing all. */
export function sharedMaximum(
  weight: LayerWeight,
  view: FilterView,
  slice: number,
  context: MethodContext,
): number {
  if (view === 'component') return 1;
  const known = summariesOf(context.model).maxima;
  const key = `${weight.layer.id}\n${view}\n${view === 'slices' ? slice : 0}`;
  const made = known.get(key) ?? largestMagnitude(weight, view, slice, context.signal);
  known.set(key, made);
  return made;
}

function largestMagnitude(
  weight: LayerWeight,
  view: FilterView,
  slice: number,
  signal: AbortSignal,
): number {
  const { bank, read } = weight;
  const tile = new Float32Array(planesOf(view) * bank.positions.length);
  let largest = 0;
  for (let filter = 0; filter < bank.filters; filter++) {
    signal.throwIfAborted();
    fillTile(bank, read, filter, view, slice, tile);
    for (const value of tile)
      if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}
