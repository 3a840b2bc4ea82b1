import tseslint from 'typescript-eslint';

/** One import ban: the folders it holds for, what they must not import, and why. */
const ban = (files, group, message, except = []) => ({ files, group, message, except });

// The boundaries of ARCHITECTURE.md. Rules of several bans that hit one file are merged below.
const folder = name => [`${name}/**/*.ts`];
const PURE = [
  'server/src/onnx/**/*.ts',
  'server/src/gradient/**/*.ts',
  'server/src/methods/**/*.ts',
];
const bans = [
  ban(
    PURE,
    ['vscode', 'vscode-*', 'onnxruntime-*', 'jimp', '@jimp/*'],
    'The core is pure: it is given a runner and byte sources as arguments.',
  ),
  ban(
    PURE,
    ['node:*', 'fs', 'path', 'child_process'],
    'The core does no I/O: byte sources and runners come as arguments.',
  ),
  ban(
    PURE,
    [
      '**/features/**',
      '**/workspace/**',
      '**/engine/**',
      '**/cli/**',
      '**/files/**',
      '**/source/**',
    ],
    'The core knows nothing of the server, the workspace or the engine.',
  ),
  ban(
    ['server/src/onnx/**/*.ts'],
    ['**/methods/**', '**/gradient/**', '**/image/**'],
    'Reading ONNX knows nothing of what is done with it.',
  ),
  ban(
    [
      'client/**/*.ts',
      'webview/**/*.ts',
      'protocol/**/*.ts',
      'server/src/{features,workspace,source,files,cli}/**/*.ts',
      'server/src/*.ts',
    ],
    ['onnxruntime-*'],
    'ONNX Runtime lives in the engine process only.',
  ),
  ban(
    [
      'client/**/*.ts',
      'webview/**/*.ts',
      'protocol/**/*.ts',
      'server/src/{features,workspace,source,files,cli}/**/*.ts',
      'server/src/*.ts',
    ],
    ['jimp', '@jimp/*'],
    'Images are decoded in server/src/image, inside the engine process.',
  ),
  ban(
    ['server/**/*.ts', 'webview/**/*.ts', 'protocol/**/*.ts'],
    ['vscode', 'vscode-languageclient', 'vscode-languageclient/*'],
    'vscode is imported in client only.',
  ),
  ban(
    ['webview/**/*.ts'],
    ['node:*', '**/client/**', '**/server/**'],
    'Pages draw what they are given; they meet the host in protocol only.',
  ),
  ban(
    ['client/**/*.ts'],
    ['**/server/**', '**/webview/**'],
    'The client meets the others in protocol only.',
  ),
  ban(
    ['server/**/*.ts'],
    ['**/client/**', '**/webview/**'],
    'The server meets the others in protocol only.',
  ),
  ban(folder('protocol'), ['*', '!./*'], 'protocol imports nothing.'),
];

const matrix = new Map();
for (const { files, group, message } of bans)
  for (const glob of files) matrix.set(glob, [...(matrix.get(glob) ?? []), { group, message }]);

/** All bans whose glob covers the folder of another glob must be repeated there: the last config wins. */
const covers = (outer, inner) => inner.startsWith(outer.split('*')[0].split('{')[0]);
const boundaryConfigs = [...matrix.keys()]
  .sort((a, b) => a.length - b.length)
  .map(glob => ({
    files: [glob],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [...matrix.entries()]
            .filter(
              ([other]) =>
                other === glob ||
                (covers(other, glob) && !other.includes('{') && !/src\/\*\.ts$/.test(other)),
            )
            .flatMap(([, patterns]) => patterns),
        },
      ],
    },
  }));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'artifacts/', 'samples/', 'test/generated/', '.cache/'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: 'error',
    },
  },
  { files: ['**/*.config.{ts,mjs}'], rules: { 'no-restricted-exports': 'off' } },
  ...boundaryConfigs,
);
