// What the server sends beyond LSP: the shapes of `maestro/panel`, `maestro/paths` and `maestro/status`.
// Lines and characters count from 0, as everywhere in LSP.

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface Place {
  uri: string;
  range: Range;
}

export type Verdict = 'shared-nothing' | 'locks' | 'unknown';

/** How an answer relates to the text in the editor: of this text, of an earlier one, not there yet, not to be had, no NF. */
export type State = 'fresh' | 'stale' | 'pending' | 'failed' | 'none';

/** A field of the packet on the first device, and a field (or a constant) of the packet on the second. */
export type Equality = [string, string | number];

/** A disjunction of conjunctions: `[]` is false (nothing must meet), `[[]]` is true (everything meets). */
export type Constraint = Equality[][];

export interface Input {
  option: string;
  fields: string[];
  queue_bits?: number;
}

/** The RSS configuration of one device. */
export interface DeviceRss {
  device: number;
  inputs: Input[];
  key: string;
  table_size: number;
  index_bits: number;
  queue_bits: number;
}

/** One NF in the answer of `maestro-lsp check --format json`. */
export interface CheckedNf {
  name: string;
  root: string;
  entry?: { file: string; line: number };
  complete: boolean;
  source: string;
  devices: number[];
  paths: number;
  objects: { name: string; kind: string; written: boolean; capacity?: number | null }[];
  verdict: Verdict;
  stateless: boolean;
  matrix: { devices: [number, number]; constraint: Constraint; exact?: boolean; text?: string }[];
  rss: { nic: string; equal: string; tables: string; devices: DeviceRss[] } | null;
  assumes: { class: string; devices: number[]; why: string }[];
  deviations: { code: string; why: string }[];
  findings: { code: string; severity: string; message: string }[];
}

export interface Access extends Place {
  function: string;
  object: string;
  write: boolean;
  /** The call, as it is written. */
  text: string;
}

export interface Row {
  devices: [number, number];
  text: string;
  constraint: Constraint;
  exact?: boolean;
  /** Pairs of accesses, with what makes their packets meet. */
  accesses: { first: Access; second: Access; when?: string }[];
}

export type ExportForm = 'dpdk-c' | 'ethtool' | 'testpmd' | 'json';
export const EXPORT_FORMS: readonly ExportForm[] = ['dpdk-c', 'ethtool', 'testpmd', 'json'];

export interface PanelDevice {
  device: number;
  key: string;
  option_text: string;
  queue_bits: number;
  index_bits: number;
  spread: { queues: number[]; cores: number } | null;
  exports: Partial<Record<ExportForm, string>>;
}

export interface TreeNode extends Partial<Place> {
  id: number | string;
  label: string;
  kind: 'condition' | 'call' | 'outcome';
}

export interface Tree {
  nodes: TreeNode[];
  edges: { from: number | string; to: number | string; label: string }[];
  /** False: it was cut off. */
  complete?: boolean;
  /** Why there is none. */
  why?: string;
}

export type Proof = 'proved' | 'running' | 'none' | 'failed';

export interface PanelAnswer {
  state: State;
  version?: number | null;
  nf?: CheckedNf;
  rows?: Row[];
  devices?: PanelDevice[];
  tree?: Tree;
  proof?: Proof;
}

export interface Call extends Partial<Place> {
  text: string;
}

export interface CallPath {
  number: number;
  device: number;
  outcome: string;
  /** The branches it takes. */
  condition: string[];
  /** What holds by the NF's own assumptions or by the hardware. */
  assumed: string[];
  calls: Call[];
  /** Fields of the packet that it writes, with what. */
  writes: { field: string; value: string }[];
  lines: Place[];
}

export interface PathsAnswer {
  state: State;
  nfs?: string[];
  source?: string;
  complete?: boolean;
  paths?: CallPath[];
}

export interface NfStatus {
  name: string;
  root: string;
  uri: string;
  state: State;
  verdict: Verdict | null;
  keys: 'none' | 'solving' | 'ready';
  proof: Proof;
  message?: string | null;
}

export interface StatusNotification {
  nfs: NfStatus[];
}
