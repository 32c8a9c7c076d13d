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
  kpis: Record<string, { name: Named; unit: string; kind: string }>;
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
