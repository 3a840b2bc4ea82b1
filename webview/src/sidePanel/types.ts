/** What a person can do here. */
export interface SidePanelActions {
  setOpacity(opacity: number): void;
  setColorMap(name: string): void;
  setPinned(pinned: boolean): void;
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
