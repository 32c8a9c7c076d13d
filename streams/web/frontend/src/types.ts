/** What the server says; streams/web has the meaning of each. */
export type Named = Record<string, string>;
export type Severity = "critical" | "warning" | "info";
export type Status = "firing" | "acknowledged" | "escalated" | "silenced" | "resolved";

export interface Me {
  name: string;
  person: string | null;
  roles: string[];
  teams: string[];
  screen: boolean;
  session: string | null;
  by_provider: boolean;
  token: string;
}
export interface Member {
  rule: string;
  entity: string;
  status: "firing" | "no_data" | "resolved";
  severity: Severity;
  since: string;
  fired: string;
  changed: string;
  threshold: number;
  fired_value?: number;
  fired_n?: number;
  value?: number;
  n?: number;
  team?: string;
  inhibited_by?: string;
}
export interface Step {
  number: number;
  at: string;
  kind: string;
  by?: string;
  quiet?: boolean;
  reason_zh: string;
  reason_en: string;
  reasons?: Named;
}
export interface Silence {
  id: string;
  by: string;
  at: string;
  until: string;
  note?: string;
}
export interface Incident {
  id: string;
  rule: string;
  entity: string;
  title: Named;
  kpi: string;
  window: string;
  severity: Severity;
  status: Status;
  opened: string;
  changed: string;
  resolved?: string;
  escalated?: string;
  firing: number;
  no_data: number;
  members: Member[];
  hidden?: number;
  acknowledged?: { by: string; at: string; note?: string };
  silenced?: Silence[];
  notes?: { id: string; by: string; at: string; note: string }[];
  runbook?: Named;
  steps?: Step[];
  names?: Record<string, Named>;
}
export interface Words {
  kpis: Record<string, { name: Named; unit: string; kind: string; live: boolean; formula: Named }>;
  windows: Record<string, Named>;
  zone: string;
}
export interface Run {
  card: string;
  name: Named;
  period: string;
  state: "prepared" | "approved" | "published";
  revision: number;
  published: number | null;
  people: number;
  signed: number;
  due: { column: string; name: Named; people: number }[];
  agreed: number;
  objections: number;
  appeals_open: number;
  appeals: number;
}
export interface RunPerson {
  person: string;
  team: string | null;
  name?: Named;
  signed: { column: string; author: string; absent: string | null; at: string }[];
  next: Named | null;
  says: { agreed: boolean; reason: string | null; at: string } | null;
}
export interface Session {
  id: string;
  user: string;
  begun: number;
  seen: number;
  browser: string;
}
export interface User {
  name: string;
  roles: string[];
  person: string | null;
  teams: string[];
  disabled: boolean;
}
export interface Entry {
  at: number;
  author: string;
  action: string;
  subject: string;
  place: string;
}
export type Names = Record<string, Named>;
export type Part = "numerator" | "rest" | "pending";
export interface ListedContact {
  channel: string;
  contact_id: string;
  customer_id: string | null;
  arrived_at: number;
  queue: string | null;
  team: string | null;
  agent: string | null;
  hidden: boolean;
  opens: boolean;
  topic: string | null;
  kind: string | null;
  state: string;
  outcome: string | null;
  csat_score: number | null;
  csat_scale: string | null;
}
export interface Interval {
  kind: "state" | "shift";
  agent: string | null;
  hidden: boolean;
  team: string | null;
  state: string | null;
  reason: string | null;
  since: number;
  until: number;
  attended: boolean | null;
}
export interface Line {
  record: string;
  starts?: number;
  part?: Part;
  value?: number | null;
  reason?: string;
  contact?: ListedContact;
  interval?: Interval;
}
export interface Figure {
  value: number | null;
  n: number;
  low: number | null;
  high: number | null;
  pending: number;
}
export interface Behind {
  unit: string;
  first: string;
  last: string;
  figure: Figure;
  as_of: string;
  adds_up: boolean;
  parts: Record<Part, number>;
  total: number;
  items: Line[];
  notes: Named[];
  names: Names;
}
export interface LeftOut {
  reasons: Record<string, Named & { contacts: number }>;
  total: number;
  items: Line[];
  names: Names;
}
export interface ContactStep extends Record<string, unknown> {
  at: number;
  kind: string;
  zh: string;
  en: string;
  queue: string | null;
  agent: string | null;
  hidden: boolean;
  ms: number | null;
}
export interface Counted {
  day: string;
  starts: string;
  agent: string | null;
  hidden: boolean;
  team: string | null;
  queue: string | null;
  site: string | null;
  staff: MeasureOf[];
  desk: MeasureOf[];
}
export interface MeasureOf {
  measure: string;
  zh: string;
  en: string;
  unit: string;
  amount: number;
}
export interface WholeContact {
  record: string;
  version: number;
  contact: ListedContact;
  more: Record<string, unknown>;
  steps: ContactStep[];
  counts: Counted[];
  not_kept: Named[];
  names: Names;
}
export interface AgentDay {
  agent: string;
  day: string;
  begin: number;
  end: number;
  as_of: string;
  states: Interval[];
  shifts: Interval[];
  gaps: { since: number; until: number; offline: boolean }[];
  contacts: (Line & { contact: ListedContact; spans: [number, number][] })[];
  names: Names;
}
