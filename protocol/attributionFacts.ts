import type { AttributionMethod } from './attribution';

/** What a person should know of a method before choosing it. */
export interface AttributionFacts {
  readonly label: string;
  /** `layer`: a map of a layer's own grid; `input`: a value for each fed pixel. */
  readonly of: 'layer' | 'input';
  readonly family: 'class activation' | 'gradient' | 'perturbation';
  /** What it needs gradients for; false: it works where nothing can be differentiated. */
  readonly gradients: boolean;
  /** False for methods that do not look at the target. */
  readonly usesTarget: boolean;
  /** True for methods that take many runs and improve while they run. */
  readonly refines: boolean;
  /** What it shows, in one sentence, and where its limit is, in another. */
  readonly shows: string;
  readonly limit: string;
  /** Paper or reference implementation. */
  readonly source: string;
}

const cam = {
  of: 'layer',
  family: 'class activation',
  gradients: true,
  usesTarget: true,
  refines: false,
} as const;
const onInput = {
  of: 'input',
  family: 'gradient',
  gradients: true,
  usesTarget: true,
  refines: false,
} as const;
const perturbing = {
  family: 'perturbation',
  gradients: false,
  usesTarget: true,
  refines: true,
} as const;

/** All attribution methods in the order of a menu. */
export const ATTRIBUTION_FACTS: Readonly<Record<AttributionMethod, AttributionFacts>> = {
  'grad-cam': {
    ...cam,
    label: 'Grad-CAM',
    shows: 'Where the layer answers in channels that raise the target.',
    limit:
      'As coarse as the layer, and one weight for a whole channel can hide what happens in one place.',
    source: 'Selvaraju et al. 2017, arXiv 1610.02391',
  },
  'grad-cam++': {
    ...cam,
    label: 'Grad-CAM++',
    shows: 'Grad-CAM with channel weights that do more for several small objects.',
    limit: 'Looks at positive gradients only; its weights are derived for exponential scores.',
    source: 'Chattopadhay et al. 2018, arXiv 1710.11063',
  },
  'layer-cam': {
    ...cam,
    label: 'Layer-CAM',
    shows: 'Activation times positive gradient, place by place; sharp in early layers.',
    limit: 'Leaves out what speaks against the target.',
    source: 'Jiang et al. 2021, IEEE TIP 30',
  },
  'hires-cam': {
    ...cam,
    label: 'HiRes-CAM',
    shows: 'Activation times gradient, place by place: what each place adds to the target.',
    limit: 'Adds up to the target only for the last layer of a linear head.',
    source: 'Draelos and Carin 2020, arXiv 2011.08891',
  },
  'xgrad-cam': {
    ...cam,
    label: 'XGrad-CAM',
    shows: 'Grad-CAM with each channel weighted by its share of the target.',
    limit: 'Channels that sum to nothing get unstable weights.',
    source: 'Fu et al. 2020, arXiv 2008.02312',
  },
  'eigen-cam': {
    ...cam,
    label: 'Eigen-CAM',
    gradients: false,
    usesTarget: false,
    shows: 'The main pattern of the layer, whatever the target.',
    limit: 'Knows nothing of the target: it is the same for every class.',
    source: 'Muhammad and Yeasin 2020, arXiv 2008.00299',
  },
  'score-cam': {
    ...perturbing,
    of: 'layer',
    label: 'Score-CAM',
    shows: 'Channels weighted by the score that is left when only their places are visible.',
    limit:
      'One run for each channel, and the masked pictures are unlike those the model was trained on.',
    source: 'Wang et al. 2020, arXiv 1910.01279',
  },
  'ablation-cam': {
    ...perturbing,
    of: 'layer',
    label: 'Ablation-CAM',
    shows: 'Channels weighted by how far the score falls when they are set to zero.',
    limit: 'One run of the rest of the network for each channel.',
    source: 'Desai and Ramaswamy 2020, WACV',
  },
  gradient: {
    ...onInput,
    label: 'Gradient',
    shows: 'How much the target changes with each pixel.',
    limit: 'Local sensitivity only: noisy, and blind where the network is saturated.',
    source: 'Simonyan et al. 2013, arXiv 1312.6034',
  },
  'input-x-gradient': {
    ...onInput,
    label: 'Gradient × input',
    shows: 'A first-order estimate of what each pixel adds to the target.',
    limit: 'Pixels that are fed as zero get nothing, whatever they show.',
    source: 'Shrikumar et al. 2016, arXiv 1605.01713',
  },
  'guided-backprop': {
    ...onInput,
    label: 'Guided backprop',
    shows: 'Fine structures that excite the network on the way to the target.',
    limit: 'Looks sharp but barely depends on the model’s weights; do not read it as evidence.',
    source: 'Springenberg et al. 2015, arXiv 1412.6806',
  },
  deconvolution: {
    ...onInput,
    label: 'Deconvolution',
    shows: 'The target sent back through the rectifiers by sign alone.',
    limit: 'Close to an edge detector in nets without max pooling; do not read it as evidence.',
    source: 'Zeiler and Fergus 2014, arXiv 1311.2901',
  },
  'guided-grad-cam': {
    ...onInput,
    label: 'Guided Grad-CAM',
    shows: 'Guided backprop where Grad-CAM is warm.',
    limit: 'Inherits the sharp look of guided backprop that barely depends on the weights.',
    source: 'Selvaraju et al. 2017, arXiv 1610.02391',
  },
  'integrated-gradients': {
    ...onInput,
    refines: true,
    label: 'Integrated Gradients',
    shows: 'What each pixel adds to the target on the way from a baseline to the picture.',
    limit: 'Depends on the baseline; the completeness gap says how well the steps add up.',
    source: 'Sundararajan et al. 2017, arXiv 1703.01365',
  },
  'smooth-grad': {
    ...onInput,
    refines: true,
    label: 'SmoothGrad',
    shows: 'The gradient averaged over noisy copies of the picture.',
    limit: 'Depends on the amount of noise, and smooths over what is really there.',
    source: 'Smilkov et al. 2017, arXiv 1706.03825',
  },
  occlusion: {
    ...perturbing,
    of: 'input',
    label: 'Occlusion',
    shows: 'How far the score falls when a window of the picture is covered.',
    limit: 'Depends on the window’s size and on what it is covered with.',
    source: 'Zeiler and Fergus 2014, arXiv 1311.2901',
  },
  rise: {
    ...perturbing,
    of: 'input',
    label: 'RISE',
    shows: 'The average of random masks, weighted by the score that each leaves.',
    limit: 'Many runs, and grainy until there are enough of them.',
    source: 'Petsiuk et al. 2018, arXiv 1806.07421',
  },
};

export const ATTRIBUTION_METHODS: readonly AttributionMethod[] = keysOf(ATTRIBUTION_FACTS);

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): readonly K[] {
  const keys: K[] = [];
  for (const key in record) keys.push(key);
  return keys;
}

export const isAttributionMethod = (name: string): name is AttributionMethod =>
  Object.hasOwn(ATTRIBUTION_FACTS, name);
