import type { PickerItem } from '../lib/pickerModel';

/** What a person can do here. */
export interface SidePanelActions {
  setOpacity(opacity: number): void;
  setColorMap(name: string): void;
  setPinned(pinned: boolean): void;
  setMethod(value: string): void;
  setTarget(value: string): void;
  chooseInput(): void;
  chooseModel(): void;
  openViewer(): void;
}

/** Words of the panel. */
export interface PanelWords {
  readonly name: string;
  readonly facts: string;
  readonly input: string;
  /** Null without a model: then there is nothing to choose an input for. */
  readonly model: string | null;
  readonly pinned: boolean;
  readonly opacity: number;
  readonly colorMap: string;
}

/** The two menus: how it is looked at, and what is explained. */
export interface PanelMenus {
  readonly method: string;
  readonly methodTitle: string;
  readonly methods: () => readonly PickerItem[];
  readonly chosenMethod: string;
  /** Null where the method looks at no target. */
  readonly target: string | null;
  readonly targets: () => readonly PickerItem[];
  readonly chosenTarget: string;
}
