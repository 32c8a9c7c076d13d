/** What work lists are told; streams/web/case_routes.py and scoring/web/tasks.py have the meaning of each. */
import type { Named, Names } from "../../types";

export interface CaseStep {
  number: number;
  at: number;
  kind: string;
  by?: string;
  to?: string;
  text?: string;
  what_zh: string;
  what_en: string;
}
export interface Case {
  id: string;
  about: { kind: "bad_rating" | "repeat_complaint" | "incident" | "call_back"; happened: number; channel?: string; contact_id?: string; agent?: string; team?: string; queue?: string; topic?: string; score?: number; scale?: string; said_zh?: string; said_en?: string; contacts?: string[] };
  title: Named;
  what: Named;
  opened: number;
  due: number;
  left: number | null;
  status: "open" | "closed" | "withdrawn";
  in_time: boolean | null;
  owner?: string;
  closed?: number;
  root_cause?: string;
  plan?: string;
  result?: string;
  urgent: boolean;
  important: boolean;
  may_change: boolean;
  steps: CaseStep[];
}
export interface Cases {
  cases: Case[];
  names: Names;
  me: string;
  begun: boolean;
  all: number;
}
export interface Task {
  kind: "rate" | "self" | "say" | "inputs" | "appeals" | "publish" | "approve" | "rules";
  card: string;
  name: Named;
  period: string;
  n: number;
  due: string | null;
  person?: string;
}
export interface Signature {
  author: string;
  at: string;
}
export interface FollowUp {
  card: string;
  period: string;
  person: string;
  team: string | null;
  action: string;
  kind: "interview" | "improvement_plan" | "mentor" | "training";
  name: Named;
  reason: Named;
  due: string;
  owner: string | null;
  steps: { id: "affirm" | "improve" | "agree"; name: Named; about: Named }[];
  choices: Named[];
  state: "open" | "held" | "done";
  record: { id: number; said: Record<string, string>; author: string; at: string } | null;
  by_interviewer: Signature | null;
  by_person: Signature | null;
  text: string | null;
  own: boolean;
  may_write: boolean;
  may_sign: boolean;
  names?: Names;
}
export interface Tasks {
  today: string;
  tasks: Task[];
  follow_ups: FollowUp[];
  names: Names;
}
/** One line of the list, whatever it is. */
export interface Entry {
  key: string;
  group: "case" | "call_back" | "month" | "follow_up";
  urgent: boolean;
  important: boolean;
  overdue: boolean;
  /** Moment by which it is due, to sort by. */
  due: number;
  case?: Case;
  task?: Task;
  follow?: FollowUp;
}
