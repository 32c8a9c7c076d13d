/** What the pages of the month share: addresses, names, points, and waiting for what takes long. */
import { ask } from "../../api";
import { language, named, t } from "../../language.svelte";
import type { Named, Names } from "../../types";
import type { Job, RunRecord } from "./types";

export function at(card: string, period: string, ...rest: string[]): string {
  return `#/month/${[card, period, ...rest].map(encodeURIComponent).join("/")}`;
}
export function route(card: string, period: string, rest = ""): string {
  return `/api/month/runs/${encodeURIComponent(card)}/${encodeURIComponent(period)}${rest}`;
}
/** A person by name, with the id beside it. */
export function whoIs(id: string, names: Names): string {
  const name = names[id];
  return name ? `${named(name, id)} ${id}` : id;
}
export function points(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === "") return "—";
  const number = Number(value);
  return Number.isFinite(number) ? number.toFixed(2) : String(value);
}
export function money(value: string | null): string {
  if (value === null) return "—";
  return new Intl.NumberFormat(language(), { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(Number(value));
}
/** What a difference is of, in words. ``items``: their names by id. */
export function whatChanged(text: string, items: Record<string, Named>): string {
  const [first = "", rest] = text.split(/ (.+)/);
  if (first === "item" && rest) return named(items[rest], rest);
  if (["total", "scored_max", "pay", "base_bonus"].includes(text)) return t(`what-${text}`);
  if (["award", "streak", "action"].includes(first) && rest) return `${t(`what-${first}`)} ${rest}`;
  return rest && ["rank", "grade", "top", "bottom", "met"].includes(rest) ? `${first} ${t(`what-${rest}`)}` : text;
}
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
export const tones: Record<RunRecord["state"], string> = { prepared: "warning", approved: "info", published: "good" };

/** Begin a job, or go on with one, until it is over: what came of it. Throws what it was refused for. */
export async function finished<T>(begun: Job, seen: (job: Job) => void): Promise<T> {
  let job: Job = begun;
  seen(job);
  let wait = 250;
  while (job.state === "waiting" || job.state === "running") {
    await new Promise((done) => window.setTimeout(done, wait));
    wait = Math.min(2000, wait * 1.4);
    job = await ask<Job>("GET", `/api/month/jobs/${job.id}`);
    seen(job);
  }
  if (job.state === "refused") throw new Error(job.why ?? t("no-answer"));
  if (job.result === undefined) job = await ask<Job>("GET", `/api/month/jobs/${job.id}`);
  return job.result as T;
}
