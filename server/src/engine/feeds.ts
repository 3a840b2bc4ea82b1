import { statSync } from 'node:fs';
import { UserError } from '../../../protocol/errors';
import { Owner } from '../../../protocol/lifecycle';
import type { InputFeed, ModelFeeds } from '../../../protocol/methods';
import type { ValueInfo } from '../../../protocol/model';
import type { PictureGeometry, PreprocessingSpec } from '../../../protocol/preprocessing';
import { openFileSource } from '../files/fileSource';
import { readNpy } from '../image/npy';
import { preprocess, type Preprocessed } from '../image/preprocess';
import type { Tensor } from '../onnx/tensor';
import { ByteCache } from './byteCache';
import { castArray } from './castArray';
import { defaultFeed, type Sizes } from './defaultFeed';
import { baseName, type OpenedModel } from './openModels';
import type { Pictures } from './pictures';
import { totalBytes } from './tensorBytes';

/** Bytes of fed tensors that are kept. */
const KEPT_BYTES = 64 * 2 ** 20;

/** Larger array files are refused before they are read. */
const MOST_ARRAY_BYTES = 2 ** 30;

/** What is fed to a model, one tensor for each graph input. */
export interface FedInputs {
  /** The same for the same feeds as long as their files do not change. */
  readonly key: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Of the first picture among the feeds. */
  readonly geometry: PictureGeometry | null;
  /** Sentences: what was not chosen, what was converted. */
  readonly warnings: readonly string[];
}

/** Makes tensors out of what was chosen for the inputs of a model; the last ones are kept. */
export class Feeds extends Owner {
  private readonly kept = this.register(new ByteCache<FedInputs>(KEPT_BYTES));

  constructor(private readonly pictures: Pictures) {
    super();
  }

  /**
   * A tensor for each graph input. Symbolic sizes take the size of the fed tensors, by name over all inputs; inputs that nobody chose get
   * the default that `defaultFeed` states, and a warning says so. Throws `usage` for a feed without an input, `badImage`, `badArray`,
   * `wrongShape`, `unsupported`, and what reading the files throws.
   */
  async resolve(opened: OpenedModel, feeds: ModelFeeds): Promise<FedInputs> {
    checkNames(opened, feeds);
    const key = feedsKey(feeds);
    const cacheKey = `${opened.path}\n${opened.fingerprint}\n${key}`;
    const known = this.kept.get(cacheKey);
    if (known) return known;
    const fed = await this.make(opened, feeds, key);
    this.kept.set(cacheKey, fed, totalBytes(fed.tensors));
    return fed;
  }

  private async make(opened: OpenedModel, feeds: ModelFeeds, key: string): Promise<FedInputs> {
    const tensors = new Map<string, Tensor>();
    const sizes: Sizes = new Map();
    const warnings: string[] = [];
    let geometry: PictureGeometry | null = null;
    for (const input of opened.model.graph.inputs) {
      const feed = feeds[input.name];
      if (!feed || feed.kind === 'default') continue;
      if (feed.kind === 'image') {
        const made = await this.image(input, feed.path, feed.preprocessing);
        geometry ??= made.geometry;
        warnings.push(...made.notes);
        tensors.set(input.name, made.tensor);
      } else {
        tensors.set(input.name, readArray(input, feed.path, warnings));
      }
      bindSizes(input, tensors.get(input.name), sizes, baseName(feed.path));
    }
    for (const input of opened.model.graph.inputs) {
      if (tensors.has(input.name)) continue;
      const { tensor, warning } = defaultFeed(input, sizes, opened.name);
      tensors.set(input.name, tensor);
      warnings.push(warning);
    }
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
    return { key, tensors, shapes, geometry, warnings };
  }

  /** The tensor that a picture becomes at this input, in the input's type, repeated for a fixed batch. */
  async image(input: ValueInfo, path: string, spec: PreprocessingSpec): Promise<Preprocessed> {
    const { raster, notes } = await this.pictures.decode(path);
    const batched = ['NCHW', 'NHWC', 'NHW'].includes(spec.layout.value);
    const batch = input.shape?.[0];
    const made = preprocess(
      raster,
      spec,
      input.dtype,
      batched && typeof batch === 'number' ? batch : 1,
    );
    return { ...made, notes: [...notes, ...made.notes] };
  }
}

function checkNames(opened: OpenedModel, feeds: ModelFeeds): void {
  const names = opened.model.graph.inputs.map(input => input.name);
  const strange = Object.keys(feeds).find(name => !names.includes(name));
  if (strange === undefined) return;
  throw new UserError(
    'usage',
    `${opened.name} has no input "${strange}"; its inputs are ${names.map(name => `"${name}"`).join(', ')}.`,
  );
}

function readArray(input: ValueInfo, path: string, warnings: string[]): Tensor {
  const stored = readArrayFile(path);
  const tensor = castArray(stored, input.dtype, baseName(path), input.name);
  if (stored.dtype !== tensor.dtype) {
    warnings.push(`${baseName(path)} holds ${stored.dtype} and was fed as ${tensor.dtype}.`);
  }
  return tensor;
}

/** A .npy file. Throws `badArray`, `tooLarge`, and what reading a file throws. */
export const readArrayFile = (path: string): Tensor => readNpy(readWhole(path), baseName(path));

function readWhole(path: string): Uint8Array {
  const source = openFileSource(path);
  try {
    if (source.size > MOST_ARRAY_BYTES) {
      throw new UserError(
        'tooLarge',
        `${baseName(path)} is larger than 1 GB; feed a smaller array.`,
      );
    }
    return source.read(0, source.size);
  } finally {
    source.dispose();
  }
}

/** Checks a fed tensor against the sizes that the input fixes, and notes those it gives to names. */
function bindSizes(input: ValueInfo, tensor: Tensor | undefined, sizes: Sizes, file: string): void {
  const { shape: declared } = input;
  if (!declared || !tensor) return;
  const { shape } = tensor;
  const fits =
    shape.length === declared.length &&
    declared.every((size, axis) => typeof size !== 'number' || size === shape[axis]);
  if (!fits) {
    const wanted = declared.map(size => size ?? '?').join(', ');
    throw new UserError(
      'wrongShape',
      `${file} gives a tensor of shape [${shape.join(', ')}], but the input "${input.name}" takes [${wanted}].`,
    );
  }
  for (const [axis, size] of declared.entries()) {
    const given = shape[axis];
    if (typeof size === 'string' && given !== undefined && !sizes.has(size)) sizes.set(size, given);
  }
}

function feedsKey(feeds: ModelFeeds): string {
  const names = Object.keys(feeds).sort();
  return JSON.stringify(names.map(name => [name, feedKey(feeds[name])]));
}

function feedKey(feed: InputFeed | undefined): unknown {
  if (!feed || feed.kind === 'default') return 'default';
  const stat = statSync(feed.path, { throwIfNoEntry: false });
  const file = [feed.path, stat?.size, stat?.mtimeMs, stat?.ino];
  return feed.kind === 'array' ? file : [file, specKey(feed.preprocessing)];
}

/** The numbers of a preprocessing without where they come from. */
function specKey(spec: PreprocessingSpec): unknown {
  return [
    spec.layout,
    spec.size,
    spec.channels,
    spec.scale,
    spec.mean,
    spec.std,
    spec.resize,
    spec.shortestSide,
    spec.border,
    spec.interpolation,
  ].map(traced => traced.value);
}
