import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Emitter, Owner } from '../../../protocol/lifecycle';
import type {
  ActiveState,
  ModelEntry,
  PictureEntry,
  ServerSettings,
} from '../../../protocol/server';
import { modelPathsIn } from '../source/stringNames';
import { scanFiles } from './fileScan';

const PICTURES = /\.(png|jpe?g|bmp|gif|tiff?|webp)$/i;
/** Folders whose pictures are seldom an input. */
const UNLIKELY =
  /(^|\/)(masks?|labels?|annotations?|docs?|media|assets|icons?|figures?|\.[^/]*)\//i;
const FOUND_PICTURE = 'first picture near the model';
const MAXIMUM_MODELS = 2_000;
const MAXIMUM_PICTURES = 5_000;

export interface Choice {
  readonly model: string | null;
  readonly picture: string | null;
}

/** Which models and pictures the workspace has, and which of them everything shows until told otherwise. */
export class Active extends Owner {
  private readonly changed = this.register(new Emitter<ActiveState>());
  readonly onChanged = this.changed.event;
  private state: ActiveState = {
    model: null,
    modelReason: '',
    picture: null,
    pictureReason: '',
    mayRun: false,
  };
  private models: readonly ModelEntry[] = [];
  private pictures: readonly PictureEntry[] = [];
  private shown: { readonly path: string; readonly references: readonly string[] } | null = null;
  private scanning: Promise<void> | null = null;
  private readonly ended = new AbortController();

  constructor(
    private folders: readonly string[],
    private chosen: Choice,
    private trusted: boolean,
    private readonly settings: () => ServerSettings,
  ) {
    super();
    this.register({ dispose: () => this.ended.abort() });
  }

  /** The state after the first look at the workspace. */
  async current(): Promise<ActiveState> {
    await this.scanned();
    return this.state;
  }

  async listModels(): Promise<readonly ModelEntry[]> {
    await this.scanned();
    return this.models;
  }

  async listPictures(): Promise<readonly PictureEntry[]> {
    await this.scanned();
    return this.pictures;
  }

  get mayRun(): boolean {
    return this.trusted;
  }

  /** Models that a person asked to run although they are large. */
  readonly wanted = new Set<string>();

  /** Workspace folders, absolute. */
  get roots(): readonly string[] {
    return this.folders;
  }

  async choose(choice: Partial<Choice>): Promise<ActiveState> {
    await this.scanned();
    this.chosen = { ...this.chosen, ...choice };
    return this.update();
  }

  grantTrust(): void {
    this.trusted = true;
    this.update();
  }

  /** The text editor in front: a model that it names becomes the active one. */
  async documentShown(file: string, text: string): Promise<void> {
    await this.scanned();
    const references = modelPathsIn(text.slice(0, 500_000))
      .map(reference => this.resolveReference(file, reference))
      .filter(model => model !== null);
    if (references.length === 0) return;
    this.shown = { path: file, references };
    this.update();
  }

  /** The workspace file that a path in code means: relative to the file, to a workspace folder, else by its base name. Null where none does. */
  resolveReference(file: string, reference: string): string | null {
    const known = new Set(this.models.map(model => model.path));
    const bases = [path.dirname(file), ...this.folders];
    const direct = bases
      .map(base => path.resolve(base, reference))
      .find(candidate => known.has(candidate));
    if (direct) return direct;
    const name = path.posix.basename(reference.replaceAll('\\', '/'));
    const byName = this.models.filter(model => path.basename(model.path) === name);
    return byName.length === 1 ? (byName[0]?.path ?? null) : null;
  }

  /** Looks at the workspace again: files or folders came or went, or settings changed. */
  async rescan(folders: readonly string[] = this.folders): Promise<void> {
    this.folders = folders;
    this.scanning = this.scan();
    await this.scanning;
  }

  private scanned(): Promise<void> {
    this.scanning ??= this.scan();
    return this.scanning;
  }

  private async scan(): Promise<void> {
    const { signal } = this.ended;
    const excluded = this.settings().model.exclude;
    const keep = (label: string): boolean =>
      !excluded.some(part => part !== '' && label.includes(part));
    const models: ModelEntry[] = [];
    const pictures: PictureEntry[] = [];
    for (const folder of this.folders) {
      const files = await scanFiles(
        folder,
        name => name.endsWith('.onnx') || PICTURES.test(name),
        MAXIMUM_MODELS + MAXIMUM_PICTURES,
        signal,
      );
      for (const file of files) {
        const label = labelOf(file, this.folders);
        if (!file.endsWith('.onnx')) pictures.push({ path: file, label });
        else if (keep(label)) {
          const entry = await modelEntry(file, label);
          if (entry) models.push(entry);
        }
      }
    }
    this.models = models.slice(0, MAXIMUM_MODELS);
    this.pictures = pictures.slice(0, MAXIMUM_PICTURES);
    this.update();
  }

  private update(): ActiveState {
    const next = { ...this.pickModel(), mayRun: this.trusted };
    const { picture, pictureReason } = this.pickPicture(next.model);
    const state: ActiveState = { ...next, picture, pictureReason };
    const same = JSON.stringify(state) === JSON.stringify(this.state);
    this.state = state;
    if (!same) this.changed.fire(state);
    return state;
  }

  private pickModel(): Pick<ActiveState, 'model' | 'modelReason'> {
    const known = new Set(this.models.map(model => model.path));
    if (this.chosen.model !== null) return { model: this.chosen.model, modelReason: 'chosen' };
    const configured = this.fromSetting(this.settings().model.path);
    if (configured) return { model: configured, modelReason: 'setting layerLens.model.path' };
    const named = this.shown?.references.find(reference => known.has(reference));
    if (named && this.shown)
      return { model: named, modelReason: `named in ${path.basename(this.shown.path)}` };
    // models that were written together, as a checkout does, are equally new
    const age = ({ modifiedMs }: ModelEntry): number => -Math.floor(modifiedMs / 60_000);
    const [newest] = [...this.models].sort(
      (a, b) => age(a) - age(b) || a.path.localeCompare(b.path),
    );
    return { model: newest?.path ?? null, modelReason: newest ? 'newest in the workspace' : '' };
  }

  private pickPicture(model: string | null): Pick<ActiveState, 'picture' | 'pictureReason'> {
    const { picture } = this.chosen;
    if (picture !== null && existsSync(picture)) return { picture, pictureReason: 'chosen' };
    const configured = this.fromSetting(this.settings().input.path);
    if (configured) return { picture: configured, pictureReason: 'setting layerLens.input.path' };
    if (this.keepsFound(model)) return this.state;
    const from = model ? path.dirname(model) : (this.folders[0] ?? '');
    const ranked = [...this.pictures].sort(
      (a, b) =>
        Number(UNLIKELY.test(`/${a.label}`)) - Number(UNLIKELY.test(`/${b.label}`)) ||
        distance(from, a.path) - distance(from, b.path) ||
        a.path.localeCompare(b.path),
    );
    const first = ranked[0];
    return {
      picture: first?.path ?? null,
      pictureReason: first ? FOUND_PICTURE : '',
    };
  }

  /** A picture that was found for a model stays while it is there: one that comes into the workspace, an export for instance, does not replace it. */
  private keepsFound(model: string | null): boolean {
    const { picture, pictureReason, model: before } = this.state;
    const isThere = this.pictures.some(({ path: known }) => known === picture);
    return isThere && pictureReason === FOUND_PICTURE && before === model;
  }

  private fromSetting(value: string): string | null {
    const folder = this.folders[0];
    return value !== '' && folder !== undefined ? path.resolve(folder, value) : null;
  }
}

/** Relative to its workspace folder with `/`, led by the folder's name where there are several. */
export function labelOf(file: string, folders: readonly string[]): string {
  const folder = folders.find(candidate => file.startsWith(candidate + path.sep));
  if (folder === undefined) return path.basename(file);
  const relative = path.relative(folder, file).split(path.sep).join('/');
  return folders.length > 1 ? `${path.basename(folder)}/${relative}` : relative;
}

const distance = (folder: string, file: string): number =>
  path.relative(folder, path.dirname(file)).split(path.sep).filter(Boolean).length;

async function modelEntry(file: string, label: string): Promise<ModelEntry | null> {
  try {
    const { size, mtimeMs } = await stat(file);
    return { path: file, label, bytes: size, modifiedMs: mtimeMs };
  } catch {
    return null;
  }
}
