import type { Problem } from '../../../../protocol/model';
import type {
  ChannelOrder,
  PreprocessingOverrides,
  PreprocessingSpec,
  Traced,
} from '../../../../protocol/preprocessing';
import { parseChoices } from './choicesFile';
import { customVision } from './customVision';
import {
  asPictureInput,
  classAxes,
  found,
  guessed,
  type Choice,
  type Findings,
  type ModelFacts,
  type PictureInput,
  type PictureSize,
} from './facts';
import { huggingFace } from './huggingFace';
import { inGraph } from './inGraph';
import { onnxMetadata } from './onnxMetadata';
import type { Sidecars } from './sidecars';
import { timm } from './timm';
import { ultralytics } from './ultralytics';

export interface Detection {
  /** One for each input that can take a picture, in the order of the graph. */
  readonly specs: readonly PreprocessingSpec[];
  readonly problems: readonly Problem[];
}

const CHANNEL_COUNT: Readonly<Record<ChannelOrder, number>> = { RGB: 3, BGR: 3, RGBA: 4, GRAY: 1 };
const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

/**
 * How pictures become the inputs of a model, each number with its source. First what a person chose (`choices`, then the model's own
 * `.layerlens.json`); then what the graph itself does to pixels, which no file can take back; then files and metadata: Hugging Face, timm,
 * `Image.…`, Ultralytics, Custom Vision; else a guess, marked as one.
 */
export function detectPreprocessing(
  facts: ModelFacts,
  sidecars: Sidecars,
  choices: readonly Choice[] = [],
): Detection {
  const kept = sidecars.files.find(file => file.name.endsWith('.layerlens.json'));
  const own = kept && parseChoices(kept.text, kept.name);
  const all =
    own && kept ? [...choices, { overrides: own.choices.preprocessing, from: kept.name }] : choices;
  const specs = facts.inputs.flatMap(info => {
    const persons = all.flatMap(({ overrides, from }) => [
      asFindings(overrides[info.name], from),
      asFindings(overrides['*'], from),
    ]);
    const layout = persons.find(each => each.layout)?.layout;
    const input = asPictureInput(info, layout, facts.starts.get(info.name));
    return input ? [describe(input, facts, sidecars, persons)] : [];
  });
  return { specs, problems: [...sidecars.problems, ...(own?.problems ?? [])] };
}

/** What a person chose, as findings; width and height may be chosen alone. */
interface PersonFindings extends Findings {
  readonly layout?: Traced<PreprocessingSpec['layout']['value']>;
  readonly width?: Traced<number>;
  readonly height?: Traced<number>;
}

function asFindings(overrides: PreprocessingOverrides | undefined, from: string): PersonFindings {
  const entries = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, found(value, from)]));
}

function describe(
  input: PictureInput,
  facts: ModelFacts,
  sidecars: Sidecars,
  persons: readonly PersonFindings[],
): PreprocessingSpec {
  const sources = [
    inGraph(input, facts.starts.get(input.info.name)),
    huggingFace(sidecars),
    timm(sidecars, input),
    onnxMetadata(facts.metadata),
    ultralytics(facts.metadata),
    customVision(sidecars),
  ].filter(source => source !== null);
  const notes: string[] = sources.flatMap(source => source.notes ?? []);
  const pick = <K extends Exclude<keyof Findings, 'notes'>>(
    key: K,
    from: readonly Findings[] = [...persons, ...sources],
  ): Findings[K] => from.find(source => source[key] !== undefined)?.[key];

  const size = chooseSize(input, persons, pick('size', sources), notes);
  const sourceChannels = pick('channels', sources);
  const channels = chooseChannels(input, pick('channels', persons), sourceChannels, notes);
  const classes = classAxes(facts.outputs).find(axis => axis.kind === 'scores')?.classes;
  const count = CHANNEL_COUNT[channels.value];
  const guess = guessValues(count, classes);
  const inOrder = (key: 'mean' | 'std'): Traced<readonly number[]> => {
    const chosen = pick(key, persons);
    if (chosen) return chosen;
    const other = pick(key, sources) ?? guess[key];
    return reorder(other, count, sourceChannels?.value ?? 'RGB', channels.value, guess[key]);
  };
  const resize = pick('resize') ?? guessResize(size.value);
  const shortestSide =
    pick('shortestSide', persons) ??
    fittingSide(pick('shortestSide', sources), pick('size', sources), size.value) ??
    guessSide(size.value, count, classes);
  return {
    input: input.info.name,
    layout: input.layout,
    size,
    channels,
    scale: pick('scale') ?? guess.scale,
    mean: inOrder('mean'),
    std: inOrder('std'),
    resize,
    shortestSide,
    border: pick('border') ?? guessed(114, 'usual border of a letterbox'),
    interpolation: pick('interpolation') ?? guessed('bilinear', 'usual'),
    notes,
  };
}

/** The graph's fixed sizes, else what a file says, else a guess; a person's choice before all. */
function chooseSize(
  input: PictureInput,
  persons: readonly PersonFindings[],
  said: Traced<PictureSize> | undefined,
  notes: string[],
): Traced<PictureSize> {
  const side = (axis: 'width' | 'height'): Traced<number> => {
    const graph = input[axis];
    const chosen = persons.find(each => each[axis])?.[axis];
    if (chosen) {
      if (graph !== null && graph !== chosen.value)
        notes.push(
          `The graph declares ${axis} ${graph}; ${chosen.value} was chosen (${chosen.from}).`,
        );
      return chosen;
    }
    if (graph !== null) {
      if (said && said.value[axis] !== graph)
        notes.push(`${said.from} says ${axis} ${said.value[axis]}, but the graph takes ${graph}.`);
      return found(graph, `shape of input ${input.info.name}`);
    }
    if (said) return { ...said, value: said.value[axis] };
    return guessed(input.width ?? input.height ?? 224, 'the graph leaves the size open');
  };
  const [width, height] = [side('width'), side('height')];
  const from = [...new Set([width.from, height.from])].join('; ');
  return {
    value: { width: width.value, height: height.value },
    from,
    guessed: width.guessed || height.guessed,
  };
}

function chooseChannels(
  input: PictureInput,
  chosen: Traced<ChannelOrder> | undefined,
  said: Traced<ChannelOrder> | undefined,
  notes: string[],
): Traced<ChannelOrder> {
  if (chosen) return chosen;
  const count = input.channels;
  if (said && (count === null || CHANNEL_COUNT[said.value] === count)) return said;
  if (said)
    notes.push(
      `${said.from} says ${said.value}, but the graph takes ${count} channel${count === 1 ? '' : 's'}.`,
    );
  if (count === 1) return found('GRAY', 'one channel');
  if (count === 4) return guessed('RGBA', '4 channels');
  return guessed('RGB', count === null ? 'the graph leaves the channels open' : '3 channels');
}

/** Mean or std for the channels that are fed: reversed where the order was turned round, left out where the number does not fit. */
function reorder(
  values: Traced<readonly number[]>,
  count: number,
  from: ChannelOrder,
  to: ChannelOrder,
  otherwise: Traced<readonly number[]>,
): Traced<readonly number[]> {
  const { value } = values;
  const [only] = value;
  if (only !== undefined && value.every(each => each === only))
    return { ...values, value: Array<number>(count).fill(only) };
  if (value.length !== count)
    return value === otherwise.value
      ? { ...values, value: Array<number>(count).fill(only ?? 0) }
      : reorder(otherwise, count, from, to, otherwise);
  const turned = (from === 'BGR') !== (to === 'BGR') && count === 3;
  return turned
    ? { ...values, value: [...value].reverse(), from: `${values.from}, in the order ${to}` }
    : values;
}

function guessValues(
  count: number,
  classes: number | undefined,
): { scale: Traced<number>; mean: Traced<readonly number[]>; std: Traced<readonly number[]> } {
  const imagenet = count === 3 && (classes === 1000 || classes === 1001);
  const why = imagenet ? `3 channels, ${classes} classes (ImageNet)` : 'nothing says otherwise';
  return {
    scale: guessed(1 / 255, why),
    mean: guessed(imagenet ? IMAGENET_MEAN : Array<number>(count).fill(0), why),
    std: guessed(imagenet ? IMAGENET_STD : Array<number>(count).fill(1), why),
  };
}

const guessResize = ({ width, height }: PictureSize): Traced<'crop' | 'stretch'> =>
  width === height ? guessed('crop', 'square input') : guessed('stretch', 'input is not square');

/** A file's shortest side belongs to its own size: it is scaled with the size that is really fed. */
function fittingSide(
  side: Traced<number> | undefined,
  said: Traced<PictureSize> | undefined,
  size: PictureSize,
): Traced<number> | undefined {
  if (!side || !said) return side;
  const [own, fed] = [
    Math.min(said.value.width, said.value.height),
    Math.min(size.width, size.height),
  ];
  return own === fed
    ? side
    : {
        ...side,
        value: Math.max(1, Math.floor((side.value * fed) / own)),
        from: `${side.from}, scaled to ${fed}`,
      };
}

function guessSide(size: PictureSize, count: number, classes: number | undefined): Traced<number> {
  const fed = Math.min(size.width, size.height);
  const imagenet = count === 3 && (classes === 1000 || classes === 1001);
  return imagenet
    ? guessed(Math.floor(fed / 0.875), 'ImageNet: 7/8 of it is cropped')
    : guessed(fed, 'the size of the input');
}
