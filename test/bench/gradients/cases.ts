import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readNpy } from '../../../server/src/image/npy';
import { toFloat64 } from '../../../server/src/onnx/numbers';

/** A scalar whose gradient with respect to the input is known: one element of the output, or Σ output · weights. Paths as in `case.json`. */
export interface TargetCase {
  readonly name: string;
  readonly index: readonly number[] | null;
  readonly weights: string | null;
  readonly float64: string;
  readonly float32: string;
}

/** Grad-CAM of layers for several images; the reference arrays are [images, rows, columns]. */
export interface GradCamCase {
  readonly inputs: readonly string[];
  readonly classes: readonly number[];
  readonly layers: readonly {
    readonly layer: string;
    readonly float64: string;
    readonly float32: string;
    /** Tensor of the layer, by exported file. */
    readonly tensors: Readonly<Record<string, string>>;
  }[];
}

/** One network as makeModels.py wrote it. */
export interface NetworkCase {
  readonly folder: string;
  readonly name: string;
  readonly input: { readonly name: string; readonly file: string };
  readonly output: { readonly name: string; readonly file: string };
  readonly targets: readonly TargetCase[];
  readonly models: readonly {
    readonly file: string;
    readonly exporter: string;
    readonly opset: number;
  }[];
  readonly gradCam: GradCamCase | null;
}

/** The networks below a folder (all, or those of these names), in order of their names. */
export function readCases(folder: string, names: readonly string[]): readonly NetworkCase[] {
  return readdirSync(folder)
    .filter(name => names.length === 0 || names.includes(name))
    .map(name => path.join(folder, name))
    .filter(each => existsSync(path.join(each, 'case.json')))
    .map(each => ({
      ...JSON.parse(readFileSync(path.join(each, 'case.json'), 'utf8')),
      folder: each,
    }));
}

/** Elements of a .npy file. */
export function readArray(folder: string, file: string): Float64Array {
  return toFloat64(readNpy(readFileSync(path.join(folder, file)), file));
}
