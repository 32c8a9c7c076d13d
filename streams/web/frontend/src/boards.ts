/** Words and addresses of figures on boards and pages of one entity. */
import type { Boards, Cell, Part, Shown } from "./board.svelte";
import { address, clock, dayOf, duration, inUnit } from "./format";
import { language, named, t } from "./language.svelte";
import type { Named, Words } from "./types";

export const keyOf = (cell: Cell): string => `${cell.kpi}@${cell.window}`;

/** What an entity is called; its kind and id where it has no name. */
export function nameOf(key: string, names: { get(key: string): Named | undefined }): string {
  const at = key.indexOf("|");
  const [kind, id] = [key.slice(0, at), key.slice(at + 1)];
  return kind === "all" ? t("kind-all") : named(names.get(key), id);
}
export function textOf(shown: Shown | undefined, unit: string | undefined): string {
  return inUnit(shown?.[0], unit);
}
/** "Target ≥ 80% · n = 154 · 83.8% – 93.5%" */
export function saysOf(shown: Shown | undefined, unit: string | undefined): string {
  if (!shown) return t("no-data");
  const [value, n, stands, target, op, low, high] = shown;
  const said = [t("cases", { n })];
  if (target !== undefined && target !== null) {
    const sign = op === "<=" ? "≤" : "≥";
    said.unshift(`${t("target")} ${sign} ${inUnit(target, unit)}`);
  }
  if (stands === "bad" || stands === "good" || stands === "near" || stands === "few") said.unshift(t(`stands-${stands}`));
  if (value !== null && low !== undefined && low !== null && high !== undefined && high !== null) {
    said.push(t("interval", { low: inUnit(low, unit), high: inUnit(high, unit) }));
  }
  return said.join(" · ");
}
/** Where the contacts behind a figure are; the entity's own page for who sees no contacts. */
export function behind(cell: { kpi: string; window: string }, key: string, at: number, words: Words | null, boards: Boards | null, opens: boolean): string {
  if (!opens || boards?.kpis[cell.kpi]?.contacts === false) return pageOf(key);
  const when = cell.window === "today" ? { first: dayOf(at, words?.zone) } : { at: new Date(at).toISOString(), window: cell.window };
  return address("contacts", { kpi: cell.kpi, entity: key, ...when });
}
export function pageOf(key: string): string {
  return address("of", { entity: key });
}
/** Whole minutes, so that a hundred of them do not flicker: < 1 min, 4 min, 1 h 5 min. */
export function about(ms: number): string {
  if (ms < 60_000) return t("below-minute");
  return duration(ms);
}
/** The same where there is little room: <1′, 4′, 1:05 h. */
export function brief(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "<1′";
  return minutes < 60 ? `${minutes}′` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}h`;
}
/** Who waits, to the second, as it ticks: 1:05 in English, 1分5秒 in Chinese. */
export function ticking(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  if (whole >= 3600) return duration(ms);
  if (language() === "zh") return whole < 60 ? `${whole}秒` : `${Math.floor(whole / 60)}分${whole % 60}秒`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
export function windowOf(window: string, words: Words | null): string {
  return named(words?.windows[window], window);
}
/** A moment by the operation's clock, with its date where that is not today. */
export function timeOf(moment: number, at: number, words: Words | null): string {
  return clock(moment, words?.zone, at);
}
/** What a queue's contacts are; calls where nothing has come yet. */
export function channelsOf(part: Part | undefined, hasOpen: { chats: boolean; tickets: boolean }): string[] {
  const found = new Set(part?.channels ?? []);
  if (hasOpen.chats) found.add("chats");
  if (hasOpen.tickets) found.add("tickets");
  return ["calls", "chats", "tickets"].filter((one) => found.has(one));
}
