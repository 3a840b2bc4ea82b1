import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../server/src/image/npy';
import { describeShared } from '../shared';
import { buildCli, type BuiltCli } from '../unit/cli/builtCli';

interface GoldenCase {
  readonly models: readonly { readonly file: string; readonly opset: number }[];
  readonly inputs: readonly {
    readonly id: string;
    readonly file: string;
    readonly shape: readonly number[];
  }[];
  readonly activations: readonly {
    readonly input: string;
    readonly file: string;
    readonly shape: readonly number[];
    readonly scale: number;
    readonly fp32_noise: number;
    readonly tensor: Readonly<Record<string, string | null>>;
  }[];
}

const floats = (file: string): Float32Array => {
  const bytes = Uint8Array.from(readFileSync(file));
  return new Float32Array(bytes.buffer);
};

describeShared('activations of the golden cases through the command line', shared => {
  const goldens = path.join(shared, 'goldens');
  const cases = readdirSync(goldens, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);
  const runs = cases.flatMap(name => {
    const golden: GoldenCase = JSON.parse(
      readFileSync(path.join(goldens, name, 'case.json'), 'utf8'),
    );
    return golden.models.flatMap(model =>
      golden.inputs.map(input => ({
        name,
        golden,
        model,
        input,
        label: `${name} opset ${model.opset} ${input.id}`,
      })),
    );
  });
  let cli: BuiltCli;
  beforeAll(async () => {
    cli = await buildCli();
  });
  afterAll(() => cli.dispose());

  it.each(runs)('$label', async ({ name, golden, model, input }) => {
    const folder = path.join(goldens, name);
    const out = path.join(cli.folder, `${name}-${model.opset}-${input.id}`);
    const fed = `${out}.npy`;
    const data = floats(path.join(folder, input.file));
    writeFileSync(fed, writeNpy({ dtype: 'float32', shape: input.shape, data }).bytes);
    const wanted = golden.activations.flatMap(activation => {
      const tensor = activation.tensor[model.file];
      return activation.input === input.id && tensor ? [{ ...activation, name: tensor }] : [];
    });
    expect(wanted.length).toBeGreaterThan(0);
    const words = wanted.flatMap(activation => ['--tensor', activation.name]);
    const outcome = await cli.run([
      'tensors',
      path.join(folder, model.file),
      '--input',
      fed,
      ...words,
      '--out',
      out,
    ]);
    expect(outcome).toMatchObject({ status: 0, stdout: '' });
    const index: Record<string, string> = JSON.parse(
      readFileSync(path.join(out, 'index.json'), 'utf8'),
    );
    for (const activation of wanted) {
      const file = index[activation.name] ?? '';
      const got = readNpy(Uint8Array.from(readFileSync(path.join(out, file))), file);
      expect(got.shape).toEqual(activation.shape);
      // the tolerance that the goldens state
      const atol = Math.max(10 * activation.fp32_noise, 2e-5 * activation.scale);
      const outside = [...floats(path.join(folder, activation.file))].filter(
        (want, i) => !(Math.abs(Number(got.data[i]) - want) <= atol + 1e-4 * Math.abs(want)),
      );
      expect(outside, activation.name).toEqual([]);
    }
  });
});
