/** A board as it is edited: all its parts at hand, and what its file says of them. */
import type { Named } from "./types";

export interface CellOf {
  kpi: string;
  window?: string;
  name?: Named;
}
/** What a board's file says; what goes without saying is left out. */
export interface BoardDocument {
  id: string;
  name: Named;
  show?: string[];
  tiles?: CellOf[];
  queues?: Record<string, CellOf[]>;
  teams?: CellOf[];
  agents?: CellOf[];
  state_limits?: Record<string, number>;
  filters?: { queues?: string[]; teams?: string[] };
  rotate_seconds?: number;
  roles?: string[];
}
export interface DraftCell {
  kpi: string;
  window: string;
  zh: string;
  en: string;
  /** The same figure may stand twice while it is moved: what tells them apart. */
  token: number;
}
/** ``lists``: figures by where they stand: tiles, calls, chats, tickets, teams, agents. ``parts``: in order, with those left out. */
export interface Draft {
  id: string;
  name: { zh: string; en: string };
  parts: { part: string; shown: boolean }[];
  lists: Record<string, DraftCell[]>;
  limits: Record<string, number | null>;
  queues: string[];
  teams: string[];
  rotate: number;
  roles: string[];
}
export interface FaultOf {
  loc: (string | number)[];
  msg: string;
  line?: number;
}

export const PARTS = ["tiles", "queues", "teams", "agents"];
export const CHANNELS = ["calls", "chats", "tickets"];
export const LISTS = ["tiles", ...CHANNELS, "teams", "agents"];
export const LIMITED = ["wrap_up", "on_contact", "away", "training", "available"];
export const WINDOWS = ["5m", "30m", "today"];
export const ROLES = ["viewer", "agent", "supervisor", "quality", "hr", "administrator"];
export const MOST_CELLS = 12;

let tokens = 0;
export function cellOf(one: CellOf): DraftCell {
  tokens += 1;
  return { kpi: one.kpi, window: one.window ?? "today", zh: one.name?.["zh"] ?? "", en: one.name?.["en"] ?? "", token: tokens };
}
export function draftOf(document: BoardDocument): Draft {
  const show = document.show ?? PARTS;
  const lists: Record<string, DraftCell[]> = {};
  for (const list of LISTS) {
    const cells = CHANNELS.includes(list) ? document.queues?.[list] : document[list as "tiles" | "teams" | "agents"];
    lists[list] = (cells ?? []).map(cellOf);
  }
  return {
    id: document.id,
    name: { zh: document.name["zh"] ?? "", en: document.name["en"] ?? "" },
    parts: [...show, ...PARTS.filter((part) => !show.includes(part))].map((part) => ({ part, shown: show.includes(part) })),
    lists,
    limits: Object.fromEntries(LIMITED.map((state) => [state, document.state_limits?.[state] ?? null])),
    queues: [...(document.filters?.queues ?? [])],
    teams: [...(document.filters?.teams ?? [])],
    rotate: document.rotate_seconds ?? 0,
    roles: [...(document.roles ?? [])],
  };
}
export function documentOf(draft: Draft): BoardDocument {
  const cells = (list: string): CellOf[] =>
    (draft.lists[list] ?? []).map((one) => ({
      kpi: one.kpi,
      window: one.window,
      ...(one.zh.trim() || one.en.trim() ? { name: { zh: one.zh.trim() || one.en.trim(), en: one.en.trim() || one.zh.trim() } } : {}),
    }));
  const limits = Object.fromEntries(Object.entries(draft.limits).filter((pair): pair is [string, number] => pair[1] !== null));
  return {
    id: draft.id,
    name: { zh: draft.name.zh.trim(), en: draft.name.en.trim() },
    show: draft.parts.filter((one) => one.shown).map((one) => one.part),
    tiles: cells("tiles"),
    queues: Object.fromEntries(CHANNELS.filter((one) => draft.lists[one]?.length).map((one) => [one, cells(one)])),
    teams: cells("teams"),
    agents: cells("agents"),
    state_limits: limits,
    filters: { queues: draft.queues, teams: draft.teams },
    rotate_seconds: draft.rotate,
    roles: draft.roles,
  };
}
/** Where in the draft a fault of a document is: ``tiles.2``, ``name.zh``, ``limits.away``. */
export function placeOf(loc: (string | number)[]): string {
  const [first, second, third] = loc;
  if (first === "queues") return third === undefined ? String(second ?? "queues") : `${second}.${third}`;
  if (first === "state_limits") return second === undefined ? "limits" : `limits.${second}`;
  if (first === "filters") return `filter-${second ?? "queues"}`;
  if (first === "rotate_seconds") return "rotate";
  if (first === "show") return "parts";
  if (first === "id" || first === "roles") return String(first);
  return second === undefined ? String(first ?? "") : `${first}.${second}`;
}
/** The id that a name suggests: small letters, digits and hyphens. */
export function idFor(name: string, taken: Iterable<string>): string {
  const base = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 34) || "board";
  const used = new Set(taken);
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!used.has(id)) return id;
  }
}
