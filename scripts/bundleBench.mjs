// Bundles a benchmark, which runs as a plain file for Node.
import path from 'node:path';
import { artifacts, root } from './project.mjs';

/** Bundles `entry`; the path of the file in artifacts/bench. ES modules end in .mjs. */
export const bundleBench = async (entry, file) => {
  const { build } = await import('esbuild');
  const isModule = file.endsWith('.mjs');
  const outfile = path.join(artifacts, 'bench', file);
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: isModule ? 'esm' : 'cjs',
    target: 'node20.19',
    external: ['onnxruntime-node'],
    logLevel: 'warning',
    // The protocol packages of the language server are CommonJS and require modules of Node.
    banner: isModule
      ? {
          js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        }
      : {},
  });
  return outfile;
};
