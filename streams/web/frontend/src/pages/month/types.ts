/** What the routes of the month say; scoring/web has the meaning of each. */
import type { Named, Names } from "../../types";

export interface RunRecord {
  id: number;
  card: string;
  period: string;
  state: "prepared" | "approved" | "published";
  revision: number;
  published: number | null;
}
export interface Job<T = unknown> {
  id: string;
  kind: string;
  card: string;
  period: string;
  author: string;
  begun: string;
  ended: string | null;
  state: "waiting" | "running" | "done" | "refused";
  stage: string | null;
  status: number;
  why: string | null;
  appeal: number | null;
  result?: T | null;
}
export interface Change {
  person: string;
  what: string;
  before: string | null;
  after: string | null;
}
export interface Changes {
  changes: Change[];
  changed: number;
  changed_people: number;
  names: Names;
}
export interface Unjudged {
  item: string;
  name: Named;
  pending: number;
  of: number;
  from_day: string;
}
export interface Prepared extends Changes {
  run: RunRecord;
  people: number;
  new: boolean;
  unjudged: Unjudged[];
  notes?: string[];
  not_kept?: string | null;
}
export interface Opening {
  month: string;
  last: string;
  over: boolean;
  today: string;
  months: string[];
  cards: {
    card: string;
    name: Named | null;
    people: number;
    runs: { period: string; state: string | null; revision: number | null }[];
    trouble: string | null;
  }[];
}
export type Due = Partial<Record<"inputs" | "ratings" | "says" | "approval", string>>;
export interface Giver {
  key: string;
  whom: Named;
  person: string | null;
  needed: number;
  missing: number;
  items: { item: string; name: Named }[];
  people: { person: string; missing: { item: string; name: Named; field: string }[] }[];
  more: number;
}
export interface Needs {
  run: RunRecord;
  people: number;
  due: Due;
  today: string;
  givers: Giver[];
  came: { source: string; author: string; at: string; values: number }[];
  panels_open: number;
  names: Names;
}
export interface SheetFault {
  row: number;
  column: string | null;
  cells: Record<string, string>;
  why: string;
}
export interface Taken {
  values: number;
  people: number;
  kept: { new: number; changed: number; same: number } | null;
}
export interface FormItem {
  id: string;
  name: Named;
  section: Named | null;
  max: string | null;
  kpi: string | null;
  columns: string[];
  check_points: Named[];
  note: Named | null;
  words?: Named;
  choices?: string[];
  low?: string | null;
  high?: string | null;
  levels?: { level: string; award: string; pick: [number, number] | null }[];
}
export interface FormColumn {
  id: string;
  name: Named;
  counts: boolean;
}
export interface Signature {
  person: string;
  column: string;
  author: string;
  absent: string | null;
  at: string;
}
export interface Says {
  agreed: boolean;
  reason: string | null;
  evidence: string | null;
  at: string;
}
export interface Totals {
  total: string | null;
  scored_max: string;
  max: string;
  points: Record<string, string | null>;
  figures: Record<string, string | number>;
}
export interface Rated extends Totals {
  person: string;
  team: string | null;
  next: string | null;
  may: string | null;
  may_pass: boolean;
  signed: Signature[];
  says: Says | null;
  draft: { column: string; ratings: Record<string, string>; at: string } | null;
  given: Record<string, Record<string, string>>;
}
export interface Ratings {
  run: RunRecord;
  name: Named;
  columns: FormColumn[];
  items: FormItem[];
  people: Rated[];
  all: number;
  count: number;
  waiting: number;
  offset: number;
  due: Due;
  names: Names;
}
export interface Kept extends Totals {
  at: string;
  kept: number;
  wrong: Record<string, string>;
}
export interface ScoreItem {
  id: string;
  name_zh: string;
  name_en: string;
  points: string | null;
  max: string | null;
  n: number | null;
  kpi: string | null;
  flags: string[];
  reason_zh: string;
  reason_en: string;
}
export interface Given {
  item: string;
  field: string;
  value: string;
  author: string;
  at: string;
  note: string | null;
}
export interface Sheet {
  run: RunRecord;
  name: Named;
  own: boolean;
  score: { person: string; team: string | null; items: ScoreItem[]; total: string | null; scored_max: string; max: string };
  outcome: Record<string, never> | Outcome | null;
  given: Given[];
  signed: Signature[];
  next: string | null;
  says: Says | null;
  changed_since: boolean;
  too_few: string[];
  columns: FormColumn[];
  items: FormItem[];
  may: string | null;
  draft: Record<string, string>;
  due: Due;
  last_day: string | null;
  today: string;
  appeals: { id: number; items: string[]; reason: string; at: string; decision: { accepted: boolean; reason: string; at: string } | null }[];
  names: Names;
}
export interface Outcome {
  standings: { term: string; grade: string | null; rank: number | null; of: number; placed: Named; why_grade: Named | null }[];
  pay: { money: string } | null;
  actions: { name: Named; due: string | null; reason: Named | null }[];
}
export interface OverviewRow {
  person: string;
  name?: Named;
  team: string | null;
  total: string | null;
  scored_max: string;
  max: string;
  unscored: { id: string; name: Named }[];
  rank: number | null;
  of: number | null;
  grade: string | null;
  placed: Named | null;
  top: boolean | null;
  bottom: boolean | null;
  money: string | null;
  actions: Named[];
  awards: Named[];
  before: string | null;
  before_max: string | null;
  next: { column: string; name: Named } | null;
  signed: Signature[];
  says: Says | null;
  changed_since: boolean;
  too_few: string[];
}
export interface Overview extends Changes {
  run: RunRecord;
  at: string;
  people: OverviewRow[];
  before: string | null;
  unjudged: Unjudged[];
  missing: { values: number; people: number };
  panels_open: number;
  grades: Record<string, number>;
  items: Record<string, Named>;
  money: string;
  paid: number;
}
export interface Appeal {
  id: number;
  run: RunRecord;
  card_name: Named;
  revision: number;
  person: string;
  items: { id: string; name: Named }[];
  reason: string;
  late: string | null;
  author: string;
  at: string;
  decision: { accepted: boolean; reason: string; revision: number | null; author: string; at: string } | null;
  asked?: { id: string; name: Named; max: string | null; rated: boolean; words: Named; choices: string[]; score: ScoreItem | null; raters: { id: string; name: Named }[] }[];
}
export interface Mine {
  card: string;
  name: Named;
  period: string;
  state: "prepared" | "approved" | "published";
  published: boolean;
  people: number;
  waiting: number;
  own: { person: string; next: { column: string; name: Named } | null; rate: boolean; says: { agreed: boolean } | null } | null;
  due: Due;
}
export interface FrozenLine {
  record: string;
  kind?: "contact" | "interval" | "appeal";
  day?: string;
  part?: "numerator" | "rest" | "pending";
  value?: number | null;
  reason?: string;
  reason_zh?: string;
  reason_en?: string;
  told: {
    contact_id?: string;
    channel?: string;
    topic?: string;
    arrived_at?: number;
    since?: number;
    until?: number;
    agent?: string;
    queue?: string;
    outcome?: string;
    state?: string;
    csat_score?: number;
    csat_scale?: string;
  };
  since?: { how: "changed" | "gone" | "new"; fields?: Record<string, unknown> } | null;
}
export interface Frozen {
  revision: number;
  item: ScoreItem;
  kpi: string;
  entity: string;
  kept: boolean;
  value: number | null;
  n: number;
  pending: number;
  adds_up: boolean;
  lines: number;
  new: number;
  left_out: number;
  changed: number;
  total: number;
  items: FrozenLine[];
  figures: string[];
  names: Names;
}
