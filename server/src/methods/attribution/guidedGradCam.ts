import { resizeMap } from '../../image/resizeMap';
import type { AttributionOptions } from '../../../../protocol/attribution';
import { UserError } from '../../../../protocol/errors';
import type { Attributor, LayerMap, InputTensor } from './attributor';
import { gradCam } from './gradCam';
import { gradientOf } from './inputGradient';
import { normalised, upsampled } from './normalise';

/**
 * Guided Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, section 3.2): guided backpropagation times max(Grad-CAM, 0) enlarged to the input. As captum's
 * `GuidedGradCam`, the map is enlarged by nearest neighbour and not normalised; with the convention `pytorch-grad-cam` it is normalised and enlarged bilinearly, as
 * that library's guide does it.
 */
export const guidedGradCam: Attributor = {
  name: 'guided-grad-cam',
  async attribute(request) {
    const { input, options } = request;
    const convention = options.convention ?? 'captum';
    const cam = await gradCam.attribute(request);
    const [map] = cam.kind === 'layer' ? cam.maps : [];
    if (request.grids.length > 1)
      throw new UserError('usage', 'Guided Grad-CAM takes one layer; give --layer once.');
    const guided = await gradientOf(request, { mode: 'guided' });
    const factors = map && enlarged(map, input, convention);
    const places = input.grid.placesOfElements();
    return {
      kind: 'tensor',
      grid: input.grid,
      values: guided.values.map((value, i) => value * (factors?.[places[i] ?? -1] ?? 0)),
      value: guided.value,
      noPath: guided.noPath || cam.noPath === true,
      options: { convention },
    };
  },
};

/** max(map, 0) as factors of the input's places, [images, rows, columns]. */
function enlarged(
  { grid, values }: LayerMap,
  { grid: inputGrid }: InputTensor,
  convention: NonNullable<AttributionOptions['convention']>,
): Float32Array {
  const { rows, columns } = inputGrid;
  if (convention === 'pytorch-grad-cam')
    return upsampled(normalised(values, grid.positions), grid.rows, grid.columns, rows, columns);
  const out = new Float32Array(grid.images * rows * columns);
  for (let image = 0; image < grid.images; image++) {
    const start = image * grid.positions;
    const map = values.slice(start, start + grid.positions).map(value => Math.max(value, 0));
    out.set(
      resizeMap(map, grid.rows, grid.columns, rows, columns, 'nearest'),
      image * rows * columns,
    );
  }
  return out;
}
