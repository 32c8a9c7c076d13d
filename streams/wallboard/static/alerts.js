// Open alerts, the gravest first, and the latest steps; what is new flashes.

import { Contacts, lead } from "./contacts.js";
import { arrange, find, make, setClass, setText } from "./dom.js";
import { NONE, duration, shortTime, time } from "./format.js";
import { stepKey } from "./board.js";
import { nameOf, named as withName, unitOf } from "./names.js";
import { language, languageOf, named, saidOf, t, tidy } from "./language.js";

const GRAVITY = { critical: 0, warning: 1, info: 2 };
const FLASH_MS = 10_000;
const FEED = 30;

export class Alerts {
  constructor(panel, meta) {
    this.panel = panel;
    this.open = find("alerts", panel);
    this.feed = find("feed", panel);
    this.rules = new Map(meta.rules.map((rule) => [rule.id, rule]));
    this.zone = meta.zone;
    this.contacts = new Contacts(meta);
    this.cards = new Map();
    this.steps = new Map();
  }

  title(alert) {
    const rule = this.rules.get(alert.rule);
    return rule ? named(rule) : alert.rule;
  }

  draw(board) {
    const alerts = [...board.alerts].sort(
      ([, a], [, b]) => GRAVITY[a.severity] - GRAVITY[b.severity] || Date.parse(b.since) - Date.parse(a.since),
    );
    const cards = new Map();
    for (const [key, alert] of alerts) {
      const card = this.cards.get(key) ?? new Card(key);
      card.draw(this, alert);
      if (board.fresh.delete(key)) flash(card.el);
      cards.set(key, card);
    }
    this.cards = cards;
    arrange(this.open, [...cards.values()].map((card) => card.el));
    find("alerts-none", this.panel).hidden = cards.size > 0 || !board.known;
    const total = Math.max(cards.size, board.totals.alerts ?? 0);
    const count = cards.size < total ? `${cards.size} / ${total}` : String(total);
    setText(find("alert-count", this.panel), board.known ? count : NONE);
    find("alert-count", this.panel).classList.toggle("bad", total > 0);
    this.drawFeed(board);
  }

  drawFeed(board) {
    const steps = new Map();
    for (const step of board.recent.slice(0, FEED)) {
      const key = stepKey(step);
      const line = this.steps.get(key) ?? new Step();
      line.draw(this, step);
      if (board.fresh.delete(key)) flash(line.el);
      steps.set(key, line);
    }
    this.steps = steps;
    arrange(this.feed, [...steps.values()].map((line) => line.el));
  }

  tick(now) {
    for (const card of this.cards.values()) card.tick(now);
  }
}

export function entityText(entity) {
  const [kind, ...rest] = entity.split("|");
  const id = rest.join("|");
  return kind === "all" ? t().all : `${t()[kind] ?? kind} ${kind === "agent" ? nameOf(id, language()) : unitOf(kind, id, language())}`;
}

function flash(el) {
  el.classList.add("fresh");
  setTimeout(() => el.classList.remove("fresh"), FLASH_MS);
}

function spans(el, ...names) {
  return Object.fromEntries(
    names.map((name) => {
      const part = make("span", name, { "data-role": name });
      el.append(part);
      return [name, part];
    }),
  );
}

class Card {
  constructor(key) {
    this.el = make("li", "alert", { "data-testid": "alert", "data-key": key });
    const top = make("div", "line");
    Object.assign(this, spans(top, "severity", "entity", "status"));
    this.reason = make("div", "reason", { "data-role": "reason" });
    const foot = make("div", "foot");
    Object.assign(this, spans(foot, "since", "runbook"));
    this.behind = make("a", "behind", { "data-role": "behind" });
    foot.insertBefore(this.behind, this.runbook);
    this.el.append(top, this.reason, foot);
  }

  draw(alerts, alert) {
    this.alert = alert;
    this.zone = alerts.zone;
    const rule = alerts.rules.get(alert.rule);
    for (const name of ["critical", "warning", "info"]) this.el.classList.toggle(name, name === alert.severity);
    setText(this.severity, t().severity[alert.severity]);
    setText(this.entity, entityText(alert.entity));
    setText(this.status, t().status[alert.status]);
    setClass(this.status, `status ${alert.status}`);
    setText(this.reason, tidy(withName(saidOf(alert, "reason"), alert.entity, languageOf(alert, "reason"))));
    setText(this.runbook, rule ? saidOf(rule, "runbook") : "");
    this.runbook.hidden = !this.runbook.shownText;
    const address = alerts.contacts.ofAlert(alert);
    setText(this.behind, t().see_contacts);
    lead(this.behind, address, t().at_desk);
    this.behind.hidden = !address;
  }

  tick(now) {
    const since = Date.parse(this.alert.since);
    const held = now == null ? "" : duration((now - since) / 1000);
    setText(this.since, t().since(shortTime(since, this.zone), held));
  }
}

class Step {
  constructor() {
    this.el = make("li", "step", { "data-testid": "step" });
    Object.assign(this, spans(this.el, "at", "status", "entity", "what"));
  }

  draw(alerts, step) {
    setText(this.at, time(Date.parse(step.at), alerts.zone));
    setText(this.status, t().status[step.status]);
    setClass(this.status, `status ${step.status}`);
    setText(this.entity, entityText(step.entity));
    setText(this.what, alerts.title(step));
  }
}
