import tseslint from 'typescript-eslint';

// The boundaries of ARCHITECTURE.md: what must not be imported, and why.
const vscode = {
  group: ['vscode', 'vscode-languageclient', 'vscode-languageclient/*'],
  message: 'vscode is imported in client only.',
};
const lsp = {
  group: ['vscode-*'],
  message: 'The core knows nothing of the language server protocol.',
};
const runtime = {
  group: ['onnxruntime-*'],
  message: 'ONNX Runtime lives in the engine process only.',
};
const jimp = {
  group: ['jimp', '@jimp/*'],
  message: 'Images are decoded in server/src/image only.',
};
const io = {
  group: ['node:*', 'fs', 'path', 'child_process'],
  message: 'The core does no I/O: byte sources and runners come as arguments.',
};
const outside = {
  group: ['**/client/**', '**/webview/**'],
  message: 'The server meets client and webview in protocol only.',
};
const server = { group: ['**/server/**'], message: 'The server is met in protocol only.' };
const client = { group: ['**/client/**'], message: 'The client is met in protocol only.' };
const pages = { group: ['**/webview/**'], message: 'Pages are met in protocol only.' };
const aroundCore = {
  group: [
    '**/features/**',
    '**/workspace/**',
    '**/engine/**',
    '**/cli/**',
    '**/files/**',
    '**/source/**',
  ],
  message: 'The core knows nothing of the server, the workspace or the engine.',
};
const uses = {
  group: ['**/methods/**', '**/gradient/**', '**/image/**'],
  message: 'Reading ONNX knows nothing of what is done with it.',
};
const methods = {
  group: ['**/methods/**'],
  message: 'Pictures know nothing of the methods that draw them.',
};
const features = {
  group: ['**/features/**', '**/cli/**'],
  message: 'The engine knows nothing of who asks it.',
};
const foreign = { regex: '^(?!\\./)', message: 'protocol imports nothing.' };

const core = [vscode, lsp, runtime, jimp, io, outside, aroundCore];
const folders = {
  'protocol/**/*.ts': [foreign],
  'client/**/*.ts': [server, pages, runtime, jimp],
  'webview/**/*.ts': [vscode, lsp, runtime, jimp, io, client, server],
  'server/src/onnx/**/*.ts': [...core, uses],
  'server/src/gradient/**/*.ts': core,
  'server/src/methods/**/*.ts': core,
  'server/src/image/**/*.ts': [vscode, lsp, runtime, outside, aroundCore, methods],
  'server/src/engine/**/*.ts': [vscode, lsp, outside, features],
  'server/src/{features,workspace,source,files,cli}/**/*.ts': [vscode, runtime, jimp, outside],
  'server/src/*.ts': [vscode, runtime, jimp, outside],
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'artifacts/', 'samples/', 'test/generated/', '.cache/'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
    },
  },
  { files: ['*.config.{mts,mjs}'], rules: { 'no-restricted-exports': 'off' } },
  ...Object.entries(folders).map(([glob, patterns]) => ({
    files: [glob],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  })),
);
