/** What a person's own page is told of the month; scoring/web/own.py has the meaning of each. */
import type { Named, Names } from "../../types";
import type { Due } from "../month/types";

export interface RuleItem {
  id: string;
  name: Named;
  weight: string | null;
  target: Named | null;
  standard: Named;
  figure: Named | null;
  kpi: string | null;
  whose: "person" | "team" | "members";
  rater: Named | null;
  raters: { name: Named; weight: string }[];
  least: number | null;
  too_few: "unscored" | "neutral" | null;
  veto: { scope: "item" | "section" | "card" } | null;
  check_points: Named[];
  note: Named | null;
}
export interface CardRules {
  name: Named;
  version: string;
  max: string;
  pass_mark: string | null;
  profiles: Named[];
  sections: { id: string; name: Named; items: RuleItem[] }[];
}
export interface PeriodRules {
  card: string;
  period: string;
  first: string;
  last: string;
  rules: CardRules | null;
  digest: string;
  trouble: string | null;
  noted: string | null;
  changed: boolean;
}
export interface RulesOf {
  person: string;
  own: boolean;
  today: string;
  periods: PeriodRules[];
  names: Names;
}
export interface WhoNoted {
  today: string;
  cards: { card: string; name: Named | null; period: string | null; first: string; trouble: string | null; people: { person: string; team: string | null; noted: string | null; changed: boolean }[] }[];
  names: Names;
}
export interface OwnSheet {
  card: string;
  name: Named;
  period: string;
  state: "prepared" | "approved" | "published";
  published: boolean;
  total: string | null;
  max: string;
  scored_max: string;
  next: { column: string; name: Named } | null;
  rate: boolean;
  says: { agreed: boolean; reason: string | null } | null;
  due: Due;
  last_day: string | null;
  appeals: { id: number; items: Named[]; reason: string; decision: { accepted: boolean; reason: string } | null }[];
  grade: string | null;
  rank: number | null;
  of: number | null;
  awards: { name: Named; amount: string | null }[];
  actions: { name: Named; due: string | null }[];
}
export interface Sheets {
  person: string;
  today: string;
  sheets: OwnSheet[];
}
