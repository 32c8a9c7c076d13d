/** What a board shows: the stream of figures, and where they stand. */
import { SvelteMap } from "svelte/reactivity";
import { Stream } from "./stream.svelte";
import type { Incident, Named } from "./types";

export type Stands = "good" | "near" | "bad" | "few" | "plain" | "none";
/** Value, how many things it rests on, how it stands, its target and the side of it, its interval. */
export type Shown = [number | null, number, Stands, (number | null)?, (string | null)?, (number | null)?, (number | null)?];
export interface Part {
  team?: string;
  cells?: Record<string, Shown>;
  waiting?: number;
  since?: number;
  wait?: Stands;
  needed?: number;
  on_duty?: number;
  channels?: string[];
}
export interface Open {
  chats_waiting?: number;
  chats_since?: number;
  tickets_open?: number;
  tickets_overdue?: number;
  tickets_due?: number;
}
/** State, since when, until when (ms since 1970; null: for ever), reason. */
export type Doing = [string, number, number | null, string | null];
export interface Cell {
  kpi: string;
  window: string;
  name: Named;
}
export interface BoardOf {
  id: string;
  name: Named;
  show: string[];
  tiles: Cell[];
  queues: Record<string, Cell[]>;
  teams: Cell[];
  agents: Cell[];
  state_limits: Record<string, number>;
  filters: { queues: string[]; teams: string[] };
  rotate_seconds: number;
}
export interface Boards {
  boards: BoardOf[];
  kpis: Record<string, { unit: string; better: string; kind: string; contacts: boolean }>;
  people: boolean;
  revision: string;
  edits: boolean;
}
/** Time of day, value, n, usual median, low, high. */
export type Quarter = [string, number | null, number, number | null, number | null, number | null];

type Told<T> = Record<string, T | null>;
interface Change {
  parts?: Told<Part>;
  doing?: Told<Doing>;
  differing?: Told<Record<string, string>>;
  open?: Told<Open>;
  names?: Told<Named>;
  staff?: Record<string, Record<string, number>>;
  marked?: { first: string; last: string } | null;
  agents?: number;
  unreadable?: number;
}

export class BoardLive extends Stream {
  parts = new SvelteMap<string, Part>();
  doing = new SvelteMap<string, Doing>();
  differing = new SvelteMap<string, Record<string, string>>();
  waits = new SvelteMap<string, Open>();
  names = new SvelteMap<string, Named>();
  staff = $state.raw<Record<string, Record<string, number>>>({});
  marked = $state.raw<{ first: string; last: string } | null>(null);
  agents = $state(0);
  unreadable = $state(0);
  behind = $state(0);
  /** Other than before where somebody has saved a board. */
  revision = $state("");
  /** Rises where somebody has come or gone. */
  members = $state(0);
  /** Rises where somebody is called by another name. */
  named = $state(0);
  #last = "";
  #mode = $state(0);

  constructor(over: () => void) {
    super(over);
    this.open();
  }

  protected override address(): string {
    return `/api/board/stream${this.#last ? `?last=${this.#last}` : ""}`;
  }

  protected override listen(source: EventSource): void {
    source.addEventListener("picture", (event) => {
      const told = JSON.parse(event.data) as Change;
      for (const [map, own] of this.#maps(told)) {
        for (const key of [...map.keys()]) if (!(own && key in own)) map.delete(key);
      }
      this.#take(told, event.lastEventId);
      this.begun = true;
    });
    source.addEventListener("change", (event) => this.#take(JSON.parse(event.data) as Change, event.lastEventId));
    source.addEventListener("beat", (event) => {
      const told = JSON.parse(event.data) as { now: string; at: number | null; reason: string | null; behind: number; boards: string };
      this.reason = told.reason;
      this.behind = told.behind;
      this.revision = told.boards;
      this.hear(told.now, told.at);
    });
  }

  #maps(told: Change): [SvelteMap<string, unknown>, Told<unknown> | undefined][] {
    return [
      [this.parts, told.parts],
      [this.doing, told.doing],
      [this.differing, told.differing],
      [this.waits, told.open],
      [this.names, told.names],
    ] as [SvelteMap<string, unknown>, Told<unknown> | undefined][];
  }

  #take(told: Change, id: string): void {
    let came = false;
    for (const [map, own] of this.#maps(told)) {
      for (const [key, value] of Object.entries(own ?? {})) {
        if (value === null) came = map.delete(key) || came;
        else {
          came ||= !map.has(key);
          map.set(key, value);
        }
      }
    }
    if (told.staff) this.staff = told.staff;
    if (told.marked !== undefined) this.marked = told.marked;
    if (told.agents !== undefined) this.agents = told.agents;
    if (told.unreadable !== undefined) this.unreadable = told.unreadable;
    if (came) this.members += 1;
    if (told.names) this.named += 1;
    this.#last = id || this.#last;
    this.hear();
  }
}

const GRAVITY: Record<string, number> = { critical: 3, warning: 2, info: 1 };
const WEIGHT: Partial<Record<Stands, number>> = { bad: 10, near: 1 };

export const idOf = (key: string): string => key.slice(key.indexOf("|") + 1);
export const kindOf = (key: string): string => key.slice(0, key.indexOf("|"));

/** The gravest open incidents that concern each entity. */
export function concerned(incidents: Iterable<Incident>): Map<string, Incident[]> {
  const found = new Map<string, Incident[]>();
  for (const one of incidents) {
    if (one.status === "resolved") continue;
    const whom = new Set([one.entity, ...one.members.filter((each) => each.status !== "resolved").map((each) => each.entity)]);
    for (const key of whom) found.set(key, [...(found.get(key) ?? []), one]);
  }
  for (const own of found.values()) own.sort((a, b) => (GRAVITY[b.severity] ?? 0) - (GRAVITY[a.severity] ?? 0));
  return found;
}
/** How much a figure misses its target, as a part of the target. */
function gap(shown: Shown): number {
  const [value, , stands, target] = shown;
  if (stands !== "bad" || value === null || !target) return 0;
  return Math.min(1, Math.abs(value - target) / Math.abs(target));
}
/** How bad it is: the greater the sooner somebody has to look. */
export function badness(part: Part | undefined, cells: Cell[], incidents: Incident[] | undefined, open: Open | undefined, at: number): number {
  let sum = incidents?.length ? 100 * (GRAVITY[incidents[0]?.severity ?? ""] ?? 0) : 0;
  for (const cell of cells) {
    const shown = part?.cells?.[`${cell.kpi}@${cell.window}`];
    if (shown) sum += (WEIGHT[shown[2]] ?? 0) + 20 * gap(shown);
  }
  if (part?.wait === "bad") sum += 30;
  if (open?.tickets_overdue) sum += 15;
  if (open?.chats_since && at - open.chats_since > 30_000) sum += 15;
  return sum;
}

/** Which courses are behind figures; asked for once a minute, all together. */
export class Courses {
  found = new SvelteMap<string, Quarter[]>();
  day = $state<string | null>(null);
  #wanted = new Set<string>();
  #asked = new Set<string>();
  #timer: number | undefined;
  #soon: number | undefined;
  readonly #fetch: (cells: string[]) => Promise<{ day: string | null; courses: Record<string, Quarter[]> }>;

  constructor(fetch_: (cells: string[]) => Promise<{ day: string | null; courses: Record<string, Quarter[]> }>) {
    this.#fetch = fetch_;
    this.#timer = window.setInterval(() => {
      this.#asked.clear();
      this.#later();
    }, 60_000);
  }
  close(): void {
    window.clearInterval(this.#timer);
    window.clearTimeout(this.#soon);
  }
  /** Somebody shows this figure. */
  want(cell: string): void {
    if (this.#wanted.has(cell)) return;
    this.#wanted.add(cell);
    this.#later();
  }
  #later(): void {
    window.clearTimeout(this.#soon);
    this.#soon = window.setTimeout(() => void this.#ask(), 50);
  }
  async #ask(): Promise<void> {
    const open = [...this.#wanted].filter((one) => !this.#asked.has(one));
    while (open.length) {
      const some = open.splice(0, 30);
      for (const one of some) this.#asked.add(one);
      try {
        const told = await this.#fetch(some);
        this.day = told.day;
        for (const [cell, quarters] of Object.entries(told.courses)) this.found.set(cell, quarters);
      } catch {
        // Without a history there is no course; figures stand without.
        return;
      }
    }
  }
}
