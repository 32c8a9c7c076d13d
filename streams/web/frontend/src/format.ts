/** Figures, times and places as people read them. */
import { language, named, t } from "./language.svelte";
import type { Incident, Names, Words } from "./types";

export function figure(value: number | undefined, kpi: string, words: Words | null): string {
  return inUnit(value, words?.kpis[kpi]?.unit);
}
/** A value in its unit, as the KPI catalogue has it. */
export function inUnit(value: number | null | undefined, unit: string | undefined): string {
  if (value === undefined || value === null) return "—";
  switch (unit) {
    case "ratio":
      return `${(value * 100).toFixed(1)}%`;
    case "per_mille":
      return `${value.toFixed(2)}‰`;
    case "s":
      return seconds(value);
    case "points":
      return value.toFixed(2);
    default:
      return new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(value);
  }
}
export function seconds(value: number): string {
  const whole = Math.round(Math.abs(value));
  if (whole < 60) return t("second", { n: whole });
  if (whole < 3600) return t("minute-second", { m: Math.floor(whole / 60), s: whole % 60 });
  return duration(whole * 1000);
}
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  if (minutes < 1) return t("second", { n: Math.max(0, Math.floor(ms / 1000)) });
  if (minutes < 60) return t("minute", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("hour", { h: hours, m: minutes % 60 });
  return t("day", { d: Math.floor(hours / 24), h: hours % 24 });
}
export function place(entity: string, names: Incident["names"]): string {
  const at = entity.indexOf("|");
  const kind = at < 0 ? entity : entity.slice(0, at);
  const id = at < 0 ? "" : entity.slice(at + 1);
  const known = names?.[entity];
  if (known && kind !== "all") return named(known, id);
  return t(`kind-${kind}`, { id });
}
export function who(author: string, names: Incident["names"]): string {
  return named(names?.[`by|${author}`], author);
}
/** What a part of the operation is called, or by its id; people whom the reader may not see have neither. */
export function called(kind: string, id: string | null, names: Names, hidden = false): string {
  if (hidden) return t("someone-else");
  return id === null ? t("nothing") : named(names[`${kind}|${id}`], id);
}
export function address(page: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return `#/${page}?${new URLSearchParams(given).toString()}`;
}
/** Of the operation's zone: 2026-03-02. */
export function dayOf(at: number | string, zone: string | undefined): string {
  return new Intl.DateTimeFormat("en-CA", zone ? { timeZone: zone } : {}).format(new Date(at));
}
export function clock(at: string | number, zone: string | undefined, now?: number): string {
  const moment = new Date(at);
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}) };
  const day = new Intl.DateTimeFormat("en-CA", zone ? { timeZone: zone } : {});
  if (now === undefined || day.format(moment) !== day.format(new Date(now))) {
    options.month = "2-digit";
    options.day = "2-digit";
  }
  return new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : "en-GB", options).format(moment);
}
