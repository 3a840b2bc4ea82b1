/** Everything that package.json contributes, named once; a test holds the two together. */
export const COMMANDS = {
  visualizeLayer: 'layerLens.visualizeLayer',
  explainPrediction: 'layerLens.explainPrediction',
  pinLayer: 'layerLens.pinLayer',
  unpinLayer: 'layerLens.unpinLayer',
  openModel: 'layerLens.openModel',
  chooseModel: 'layerLens.chooseModel',
  chooseInput: 'layerLens.chooseInput',
  useAsModel: 'layerLens.useAsModel',
  useAsInput: 'layerLens.useAsInput',
  loadModel: 'layerLens.loadModel',
  editPreprocessing: 'layerLens.editPreprocessing',
  openSample: 'layerLens.openSample',
  howToExport: 'layerLens.howToExport',
  manageTrust: 'layerLens.manageTrust',
  restartEngine: 'layerLens.restartEngine',
  restartServer: 'layerLens.restartServer',
  showMenu: 'layerLens.showMenu',
  showLog: 'layerLens.showLog',
} as const;

export const VIEWS = {
  container: 'layerLens',
  sidePanel: 'layerLens.sidePanel',
  layers: 'layerLens.layers',
  viewer: 'layerLens.viewer',
  modelEditor: 'layerLens.modelEditor',
} as const;

/** Context keys, all set in contextKeys of extension.ts. */
export const CONTEXT_KEYS = {
  hasModel: 'layerLens.hasModel',
  pinned: 'layerLens.pinned',
} as const;

/** Commands that a hover may run. */
export const HOVER_COMMANDS: readonly string[] = [
  COMMANDS.visualizeLayer,
  COMMANDS.pinLayer,
  COMMANDS.openModel,
  COMMANDS.loadModel,
];
