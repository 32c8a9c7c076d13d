// One KPI of one entity in one window: its text, how it stands, and what is said beside it.

import { Contacts } from "./contacts.js";
import { count, interval, limit, value } from "./format.js";
import { targetOf } from "./targets.js";
import { named, shortly, t } from "./language.js";

export class Figures {
  constructor(meta, judge) {
    this.kpis = new Map(meta.kpis.map((kpi) => [kpi.id, kpi]));
    this.judge = judge;
    this.contacts = new Contacts(meta);
    // "usual": every KPI in its own usual window.
    this.window = "usual";
  }

  windowOf(shown) {
    return this.window === "usual" ? shown.window : this.window;
  }

  name(shown) {
    return shown.zh ? named(shown) : shortly(this.kpis.get(shown.kpi));
  }

  figure(snapshot, shown) {
    return snapshot?.windows?.[this.windowOf(shown)]?.[shown.kpi] ?? {};
  }

  // The bare number, null where there is no data.
  amount(snapshot, shown) {
    const figure = this.figure(snapshot, shown);
    // What is not in a snapshot has no data; nothing was counted of a plain sum.
    const sum = shown.part === "n" || this.kpis.get(shown.kpi)?.is_plain_sum;
    if (sum) return snapshot ? ((shown.part === "n" ? figure.n : figure.value) ?? 0) : null;
    return figure.value ?? null;
  }

  of(snapshot, shown) {
    const window = this.windowOf(shown);
    const figure = this.figure(snapshot, shown);
    const kpi = this.kpis.get(shown.kpi);
    const n = figure.n ?? 0;
    const amount = this.amount(snapshot, shown);
    if (shown.part === "n") return { kpi, window, n, amount, figure, stands: "plain", rule: null, text: value("n", amount) };
    const [stands, rule] = this.judge.verdict(shown.kpi, window, amount, n, targetOf(snapshot, shown.kpi));
    return { kpi, window, n, amount, figure, stands, rule, text: value(kpi.unit, amount) };
  }

  // Where today's contacts of a figure are; nowhere where there is no figure.
  behind(snapshot, shown, amount) {
    return amount == null ? "" : this.contacts.ofDay(shown.kpi, snapshot.entity, snapshot.as_of);
  }

  wait(snapshot) {
    const amount = snapshot?.longest_wait ?? null;
    const [stands, rule] = this.judge.verdict("longest_wait", "now", amount, snapshot?.waiting ?? 0, targetOf(snapshot, "longest_wait"));
    return { stands, rule, text: value("s", amount) };
  }
}

// What a threshold looks like: "告警线 < 80%".
export function ruleText(rule, unit) {
  if (!rule) return "";
  if (rule.threshold === null) return t()[rule.below ?? rule.above];
  if (rule.target) return `${t().target} ${rule.below != null ? "≥" : "≤"} ${limit(unit, rule.threshold)}`;
  return `${t().threshold} ${rule.below != null ? "<" : ">"} ${limit(unit, rule.threshold)}`;
}

export function standsText(stands, rule, n) {
  if (stands === "plain") return "";
  if (rule?.target && (stands === "good" || stands === "bad")) return stands === "good" ? t().reached : t().missed;
  return stands === "few" && rule ? t().few_of(n, rule.min_n) : t()[stands];
}

// "样本 154 · 83.8%～93.5%": how many things were counted, and the interval.
export function sampleText(n, figure, unit) {
  return [t().sample(count(n)), interval(unit, figure)].filter(Boolean).join(" · ");
}
