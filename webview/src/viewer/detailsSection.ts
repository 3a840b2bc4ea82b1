/** Facts for the details pane: a heading with pairs of name and value. */
export interface DetailsSection {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
}
