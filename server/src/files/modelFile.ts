import fs from 'node:fs';
import path from 'node:path';
import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import { UserError } from '../../../protocol/errors';
import { externalLocations, isPlainLocation } from '../onnx/externalLocations';
import type { ByteSource, ExternalData, Model } from '../onnx/graph';
import { openOnnx } from '../onnx/openOnnx';
import { fileError, openFileSource, type FileIdentity, type FileSource } from './fileSource';

/** A model with the files its weights are in. */
export interface ModelFile extends Disposable {
  readonly model: Model;
  /** Opens a file beside the model, once; refuses with `missingExternalData` what is not there or not inside the model's folder. */
  readonly external: ExternalData;
  /** Changes whenever the model or one of its external files does. */
  readonly fingerprint: string;
  /** Absolute paths: the model and the external files it names, whether they are there or not. */
  readonly files: readonly string[];
  /** Throws as `external` does if any file that the model names can't be used. Ask before ONNX Runtime opens them by itself. */
  requireExternalFiles(): void;
}

/** Opens a model by path. Throws as `openFileSource` and `openOnnx` do; missing external files throw when they are asked for. */
export function openModelFile(modelPath: string): ModelFile {
  const file = path.resolve(modelPath);
  const store = new DisposableStore();
  try {
    const source = store.add(openFileSource(file));
    const model = openOnnx(source);
    const beside = new FilesBeside(file, store);
    const locations = externalLocations(model);
    return {
      model,
      external: location => beside.open(location),
      fingerprint: fingerprintOf(source.identity, file, locations),
      files: [file, ...locations.filter(isPlainLocation).map(each => besidePath(file, each))],
      requireExternalFiles: () => locations.forEach(location => beside.open(location)),
      dispose: () => store.dispose(),
    };
  } catch (error) {
    store.dispose();
    throw error;
  }
}

const besidePath = (modelPath: string, location: string): string =>
  path.join(path.dirname(modelPath), location);

function fingerprintOf(
  model: FileIdentity,
  modelPath: string,
  locations: readonly string[],
): string {
  const others = locations.filter(isPlainLocation).map(location => {
    const stat = fs.statSync(besidePath(modelPath, location), { throwIfNoEntry: false });
    return stat ? identityText(stat) : 'missing';
  });
  return [identityText(model), ...others].join(' ');
}

const identityText = ({ size, mtimeMs, ino }: FileIdentity): string => `${size}-${mtimeMs}-${ino}`;

/** The external files of one model. */
class FilesBeside {
  private readonly opened = new Map<string, FileSource>();

  constructor(
    private readonly modelPath: string,
    private readonly store: DisposableStore,
  ) {}

  open(location: string): ByteSource {
    const known = this.opened.get(location);
    if (known) return known;
    const source = this.store.add(openFileSource(this.resolve(location)));
    this.opened.set(location, source);
    return source;
  }

  /**
   * The real path of an external file. Beside the model means: in the folder that names the model or, where that name is a link, in the
   * folder of the file it leads to, as in download caches that keep everything under links.
   */
  private resolve(location: string): string {
    const shown = path.basename(this.modelPath);
    if (!isPlainLocation(location))
      throw new UserError(
        'missingExternalData',
        `${shown} keeps weights in "${location.slice(0, 200)}", which is not inside its folder: only files beside a model are read.`,
      );
    const named = besidePath(this.modelPath, location);
    const real = realPath(named, shown, location);
    const folders = [
      fs.realpathSync(path.dirname(this.modelPath)),
      path.dirname(fs.realpathSync(this.modelPath)),
    ];
    if (folders.some(folder => isInside(folder, real))) return real;
    throw new UserError(
      'missingExternalData',
      `${shown} keeps weights in "${location}", a link that leads out of its folder: only files beside a model are read.`,
    );
  }
}

function realPath(named: string, shown: string, location: string): string {
  try {
    return fs.realpathSync(named);
  } catch (error) {
    const reason = fileError(named, error);
    if (reason.code !== 'fileNotFound') throw reason;
    throw new UserError(
      'missingExternalData',
      `${shown} keeps weights in "${location}", which is missing: put that file beside the model.`,
    );
  }
}

function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}
