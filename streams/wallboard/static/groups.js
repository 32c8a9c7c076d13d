// Cards of teams, queues and sites.

import { lead } from "./contacts.js";
import { arrange, make, setClass, setText } from "./dom.js";
import { NONE, count } from "./format.js";
import { unitOf } from "./names.js";
import { language, t } from "./language.js";

const byName = new Intl.Collator(undefined, { numeric: true }).compare;

export class Groups {
  constructor(root, figures, layout, choose) {
    this.root = root;
    this.figures = figures;
    this.layout = layout;
    this.choose = choose;
    this.cards = new Map();
  }

  draw(board, team) {
    const sites = board.snapshots.site.size > 1 ? board.snapshots.site : new Map();
    const teams = new Set([...board.snapshots.team.keys(), ...Object.keys(board.staff).filter(Boolean)]);
    const wanted = [
      ...[...board.snapshots.queue.keys()].sort(byName).map((id) => ["queue", id]),
      ...[...teams].sort(byName).map((id) => ["team", id]),
      ...[...sites.keys()].sort(byName).map((id) => ["site", id]),
    ];
    const cards = new Map();
    for (const [kind, id] of wanted) {
      const key = `${kind}|${id}`;
      const card = this.cards.get(key) ?? new Card(kind, id, this.layout, this.choose);
      card.draw(this.figures, board.snapshots[kind].get(id), board.staff[id], kind === "team" && id === team);
      cards.set(key, card);
    }
    this.cards = cards;
    this.root.hidden = !cards.size;
    arrange(this.root, [...cards.values()].map((card) => card.el));
  }
}

class Card {
  constructor(kind, id, layout, choose) {
    this.kind = kind;
    this.id = id;
    this.el = make("article", kind === "team" ? "card picks" : "card", { "data-testid": "group", "data-kind": kind, "data-id": id });
    // A team's whole card picks it, but for the figures on it that lead somewhere.
    const top = kind === "team" ? make("button", "top-line pick", { type: "button" }) : make("span", "top-line");
    if (kind === "team") top.addEventListener("click", () => choose(id));
    this.top = top;
    this.label = make("span", "kind");
    this.title = make("span", "title");
    this.aside = make("span", "aside", { "data-role": "aside" });
    top.append(this.label, this.title, this.aside);
    this.el.append(top);
    this.staffing = make("span", "line staffing", { "data-role": "staffing" });
    this.rows = (kind === "team" ? layout.team : layout.desk).map((shown) => {
      const row = make("span", "line", { "data-kpi": shown.kpi });
      const name = make("span", "name");
      const tag = make("span", "tag");
      const value = make("a", "value", { "data-role": "value" });
      row.append(name, tag, value);
      this.el.append(row);
      return { shown, row, name, tag, value };
    });
    this.el.append(this.staffing);
  }

  draw(figures, snapshot, staff, chosen) {
    setText(this.label, t()[this.kind]);
    const called = unitOf(this.kind, this.id, language());
    setText(this.title, called);
    this.title.title = called === this.id ? "" : this.id;
    this.el.setAttribute("aria-label", `${t()[this.kind]} ${called}`);
    if (this.kind === "team") {
      this.top.setAttribute("aria-pressed", String(chosen));
      this.top.setAttribute("aria-label", `${t()[this.kind]} ${called}`);
      this.el.classList.toggle("chosen", chosen);
      setText(this.aside, staffText(staff));
    } else {
      const wait = figures.wait(snapshot);
      const waiting = snapshot?.waiting ?? 0;
      setText(this.aside, `${t().waiting_short} ${snapshot ? count(waiting) : NONE}${waiting ? ` · ${wait.text}` : ""}`);
      setClass(this.aside, `aside ${waiting ? wait.stands : "plain"}`);
    }
    setText(this.staffing, needText(snapshot));
    this.staffing.title = needTitle(snapshot);
    this.staffing.hidden = !snapshot?.staffing;
    for (const { shown, row, name, tag, value } of this.rows) {
      const { amount, stands, text, window } = figures.of(snapshot, shown);
      setClass(row, `line ${stands}`);
      setText(name, figures.name(shown));
      setText(tag, t().tiny[window]);
      setText(value, text);
      lead(value, figures.behind(snapshot, shown, amount), t().day_contacts);
    }
  }
}

// "需要 12（8–15）· 在岗 10": agents that the calls of the last half hour need, as surely as so few calls tell, and who is there, where
// that is known.
export function needText(snapshot) {
  const { needed, low, high, on_duty: on } = snapshot?.staffing ?? {};
  if (needed === undefined) return "";
  const range = low === high ? "" : t().range(count(low), count(high));
  return `${t().needed} ${count(needed)}${range}${on == null ? "" : ` · ${t().on_duty} ${count(on)}`}`;
}

// What the range is, and how many it would take if nobody hung up.
export function needTitle(snapshot) {
  const { offered, erlang_c: patient } = snapshot?.staffing ?? {};
  if (offered === undefined) return "";
  return t().needed_means(count(offered), patient == null ? null : count(patient));
}

// "在岗 18 · 空闲 9 · 未知 1": of whom nothing has been heard for too long, nobody knows whether they are there.
function staffText(staff) {
  if (!staff) return "";
  const { offline = 0, unknown = 0, available = 0 } = staff;
  const on = Object.values(staff).reduce((sum, n) => sum + n, 0) - offline - unknown;
  const parts = [[t().on_duty, on], [t().states.available, available]];
  if (unknown) parts.push([t().states.unknown, unknown]);
  return parts.map(([name, n]) => `${name}\u00a0${count(n)}`).join(" · ");
}
