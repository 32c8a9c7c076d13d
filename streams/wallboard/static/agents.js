// The table of agents: rows are made once and changed in place, in any number the server sends.

import { lead } from "./contacts.js";
import { arrange, find, make, setClass, setText } from "./dom.js";
import { standsText } from "./figures.js";
import { NONE, count, duration, share } from "./format.js";
import { nameOf, unitOf } from "./names.js";
import { language, t } from "./language.js";

const collator = new Intl.Collator(undefined, { numeric: true });
const STATES = ["on_contact", "available", "wrap_up", "training", "away", "offline", "unknown"];
const SORT_EVERY_MS = 2_000;
const ROWS_A_FRAME = 40;
const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

export class Agents {
  constructor(panel, figures, layout) {
    this.figures = figures;
    this.columns = layout.agent;
    this.panel = panel;
    this.head = panel.querySelector(".head");
    this.body = find("agents", panel);
    this.sorter = find("sort", panel);
    this.rows = new Map();
    this.shown = [];
    this.words = "";
    this.sort = { by: "", down: false };
    this.now = null;
    this.unsorted = false;
    this.known = false;
    this.sortedAt = -Infinity;
    // Rows out of sight need no ticking, and are drawn when there is time.
    this.later = new Set();
    this.seen = new IntersectionObserver((entries) => this.look(entries), { rootMargin: "300px" });
    // Of thousands of links the keyboard stops at one; arrows go on from there.
    this.stop = null;
    this.body.addEventListener("focusin", ({ target }) => this.stopAt(target.closest("a")));
    this.body.addEventListener("keydown", (event) => this.walk(event));
    this.makeHead();
  }

  stopAt(link) {
    if (!link || link === this.stop) return;
    if (this.stop) this.stop.tabIndex = -1;
    this.stop = link;
    link.tabIndex = 0;
  }

  walk(event) {
    const [down, right] = STEPS[event.key] ?? [0, 0];
    const from = event.target.closest("a");
    if (!from || (!down && !right)) return;
    event.preventDefault();
    const row = from.closest(".row").row;
    const column = row.cells.findIndex((cell) => cell.value === from);
    let links = row.cells.map((cell) => cell.value);
    if (down) links = this.shown.map((each) => each.cells[column].value);
    let place = links.indexOf(from);
    do place += down || right;
    while (links[place] && !links[place].href);
    links[place]?.focus();
  }

  makeHead() {
    this.heads = ["id", "team", "state", ...this.columns.keys()].map((by) => {
      const cell = make("div", "cell", { role: "columnheader" });
      const button = make("button", "", { type: "button" });
      const name = make("span", "name");
      const window = make("span", "window");
      button.append(name, window);
      button.addEventListener("click", () => this.sortBy(by));
      cell.append(button);
      return { by, cell, name, window };
    });
    this.head.replaceChildren(...this.heads.map((head) => head.cell));
    this.sorter.addEventListener("change", () => {
      const [by, down] = this.sorter.value.split(" ");
      this.setSort(/^\d+$/.test(by) ? Number(by) : by, down === "down");
    });
  }

  headText(by) {
    if (typeof by === "string") return [t()[by], ""];
    const shown = this.columns[by];
    return [this.figures.name(shown), t().short[this.figures.windowOf(shown)]];
  }

  drawHead() {
    const options = [new Option(t().sort_default, "")];
    for (const { by, cell, name, window } of this.heads) {
      const [text, tag] = this.headText(by);
      setText(name, text);
      setText(window, tag);
      const on = this.sort.by === by;
      cell.setAttribute("aria-sort", on ? (this.sort.down ? "descending" : "ascending") : "none");
      options.push(new Option(`${text} ↑`, `${by} up`), new Option(`${text} ↓`, `${by} down`));
    }
    this.sorter.replaceChildren(...options);
    this.sorter.value = this.sort.by === "" ? "" : `${this.sort.by} ${this.sort.down ? "down" : "up"}`;
  }

  // A second click turns the order round, a third goes back to the usual one.
  sortBy(by) {
    const first = typeof by === "number" && this.figures.kpis.get(this.columns[by].kpi).better === "lower";
    if (this.sort.by !== by) this.setSort(by, first);
    else if (this.sort.down === first) this.setSort(by, !first);
    else this.setSort("", false);
  }

  setSort(by, down) {
    this.sort = { by, down };
    this.drawHead();
    this.order();
  }

  filter(words) {
    this.words = words.trim().toLowerCase();
    this.order();
  }

  // `changed`: ids, or null for all.
  draw(board, changed) {
    this.known = board.known;
    const ids = changed ?? new Set([...this.rows.keys(), ...board.agentIds()]);
    for (const id of ids) {
      const snapshot = board.snapshots.agent.get(id);
      const presence = board.presence.get(id);
      let row = this.rows.get(id);
      if (!snapshot && !presence) {
        if (row) this.seen.unobserve(row.el);
        this.later.delete(row);
        this.rows.delete(id);
        continue;
      }
      if (!row) {
        row = new Row(id, this.columns);
        this.rows.set(id, row);
        this.seen.observe(row.el);
        this.sortedAt = -Infinity;
      }
      row.take(snapshot, presence, board.teamOf(id), board.differing.get(id), board.adjusted.get(id), board.marked);
      if (row.near) this.drawRow(row);
      else this.later.add(row);
    }
    this.drawLater();
    this.unsorted = true;
    if (changed === null) this.sortedAt = -Infinity;
  }

  drawRow(row) {
    this.later.delete(row);
    row.draw(this.figures);
    row.tick(this.now);
  }

  drawLater() {
    if (this.drawing || !this.later.size) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      let left = ROWS_A_FRAME;
      for (const row of this.later) {
        if (!left--) break;
        this.drawRow(row);
      }
      this.drawLater();
    }, 30);
  }

  look(entries) {
    for (const { target, isIntersecting } of entries) {
      target.row.near = isIntersecting;
      if (isIntersecting) this.drawRow(target.row);
    }
  }

  // Once a second: durations go on; rows find their place when something has changed, but do not jump about.
  tick(now) {
    this.now = now;
    for (const row of this.rows.values()) if (row.lapse(now)) this.unsorted = true;
    for (const row of this.shown) if (row.near) row.tick(now);
    if (!this.stop?.isConnected || !this.stop.href) this.stopAt(this.body.querySelector(".value[href]"));
    if (this.unsorted && performance.now() - this.sortedAt > SORT_EVERY_MS) this.order();
  }

  order() {
    this.sortedAt = performance.now();
    this.unsorted = false;
    const rows = [...this.rows.values()].filter((row) => !this.words || row.has(this.words));
    const { by, down } = this.sort;
    const side = down ? -1 : 1;
    rows.sort((a, b) => {
      const x = a.key(by, this.figures);
      const y = b.key(by, this.figures);
      // No data stands last, whichever way round.
      if (x === null || y === null) return (x === null) - (y === null) || collator.compare(a.id, b.id);
      const order = typeof x === "number" ? x - y : collator.compare(x, y);
      return order * side || collator.compare(a.id, b.id);
    });
    this.shown = rows;
    // Whatever is moved loses the keyboard.
    const held = document.activeElement;
    arrange(this.body, rows.map((row) => row.el));
    if (held !== document.activeElement && this.body.contains(held)) held.focus({ preventScroll: true });
    find("agents-none", this.panel).hidden = rows.length > 0 || !this.known;
  }
}

class Row {
  constructor(id, columns) {
    this.id = id;
    this.near = false;
    this.lapsed = false;
    this.el = make("div", "row", { role: "row", "data-testid": "agent-row", "data-id": id });
    this.el.row = this;
    this.name = make("div", "cell id", { role: "rowheader" });
    setText(this.name, this.called);
    this.team = make("div", "cell team", { role: "cell" });
    this.state = make("div", "cell state", { role: "cell", "data-role": "state" });
    this.stateName = make("span", "word");
    this.stateTime = make("span", "for", { "data-role": "state-time" });
    this.state.append(this.stateName, this.stateTime);
    this.el.append(this.name, this.team, this.state);
    this.cells = columns.map((shown) => {
      const cell = make("div", "cell figure", { role: "cell", "data-kpi": shown.kpi });
      const label = make("span", "label");
      const differs = make("span", "differs", { role: "img", "data-role": "differs" });
      const value = make("a", "value", { "data-role": "value", tabindex: "-1" });
      const n = make("span", "n", { "data-role": "n" });
      differs.hidden = true;
      cell.append(label, differs, value, n);
      this.el.append(cell);
      return { shown, cell, label, differs, value, n, said: "" };
    });
  }

  // `adjusted`: KPI → of those held against the same work of others, the share of cases that could be. `marked`: by which closed days.
  take(snapshot, presence, team, differing, adjusted, marked) {
    this.snapshot = snapshot;
    this.differing = differing ?? {};
    this.adjusted = adjusted ?? {};
    this.marked = marked;
    this.presence = presence;
    this.teamId = team;
    this.since = presence ? Date.parse(presence.since) : null;
    // A log-out may have got lost: after so long without news nobody knows what the agent does.
    this.until = presence?.until ? Date.parse(presence.until) : null;
    this.lapsed = this.lapsed && this.until != null;
  }

  get doing() {
    return this.lapsed ? "unknown" : this.presence?.state;
  }

  stateText() {
    const state = this.doing;
    const reason = this.lapsed ? null : this.presence?.reason;
    const text = state ? (t().states[state] ?? state) : NONE;
    return reason ? t().with_reason(text, t().reasons[reason] ?? reason) : text;
  }

  has(words) {
    return `${this.id} ${this.called} ${this.teamId ?? ""} ${this.teamCalled ?? ""} ${this.doing ?? ""} ${this.stateText()}`.toLowerCase().includes(words);
  }

  get called() {
    return nameOf(this.id, language());
  }

  get teamCalled() {
    return this.teamId == null ? null : unitOf("team", this.teamId, language());
  }

  draw(figures) {
    setText(this.name, this.called);
    this.name.title = this.called === this.id ? "" : this.id;
    setText(this.team, this.teamCalled ?? NONE);
    this.drawState();
    for (const slot of this.cells) {
      const { n, amount, stands, rule, text } = figures.of(this.snapshot, slot.shown);
      setClass(slot.cell, `cell figure ${stands}`);
      setText(slot.label, figures.name(slot.shown));
      setText(slot.value, text);
      setText(slot.n, amount == null || slot.shown.part === "n" ? "" : count(n));
      const said = standsText(stands, rule, n);
      if (slot.said !== said) slot.cell.title = slot.said = said;
      lead(slot.value, figures.behind(this.snapshot, slot.shown, amount), [said, t().day_contacts].filter(Boolean).join(" · "));
      const compared = slot.shown.part !== "n" && amount != null;
      const { kpi } = slot.shown;
      this.drawDiffers(slot.differs, compared ? this.differing[kpi] : undefined, this.adjusted[kpi]);
    }
  }

  // Nothing where nobody can tell.
  drawDiffers(el, verdict, alike) {
    el.hidden = !verdict;
    if (!verdict) return;
    setClass(el, `differs ${verdict}`);
    const { last, by } = this.marked ?? {};
    const how = t()[verdict];
    const said = alike == null ? t().differs_from_team(how, last) : t().differs_on_same_work(how, last, t().same_work[by], share(alike));
    if (el.title === said) return;
    el.title = said;
    el.setAttribute("aria-label", said);
  }

  drawState() {
    const state = this.doing;
    setText(this.stateName, this.stateText());
    setClass(this.state, `cell state ${state ?? "unknown"}`);
    this.el.classList.toggle("off", !state || state === "offline" || state === "unknown");
  }

  // Has it become unknown, or known again, what the agent does?
  lapse(now) {
    const lapsed = this.until != null && now != null && now >= this.until;
    if (lapsed === this.lapsed) return false;
    this.lapsed = lapsed;
    this.drawState();
    return true;
  }

  tick(now) {
    this.lapse(now);
    setText(this.stateTime, this.since == null || now == null ? "" : duration((now - this.since) / 1000));
  }

  // What a column sorts by; null where there is nothing.
  key(by, figures) {
    if (by === "") return ["offline", "unknown"].includes(this.doing ?? "offline") ? 1 : 0;
    if (by === "id") return this.called;
    if (by === "team") return this.teamCalled;
    if (by === "state") {
      // Within a state, who is in it the longest comes first.
      return this.presence ? STATES.indexOf(this.doing) + (this.since ?? 0) / 1e14 : null;
    }
    return figures.amount(this.snapshot, this.cells[by].shown);
  }
}
