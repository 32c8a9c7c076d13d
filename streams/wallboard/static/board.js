// The operation as the server last told it, and what of it is new since the page was last drawn.

const KINDS = ["agent", "team", "queue", "site", "all"];
const SKEWS = 12;

export class Board {
  constructor() {
    this.skews = [];
    this.outage = null;
    // Has there been any picture yet? Before it, "no alerts" would be a guess.
    this.known = false;
    this.clear();
  }

  clear() {
    this.snapshots = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
    this.presence = new Map();
    this.differing = new Map();
    this.adjusted = new Map();
    this.marked = null;
    this.alerts = new Map();
    this.recent = [];
    this.clock ??= null;
    this.staff = {};
    this.totals = {};
    this.unreadable = 0;
    this.shared = { total: 0, today: 0, named: [] };
    this.unknown = { events: 0, named: [] };
    this.behind = 0;
    this.fresh = new Set();
    this.changed = { everything: true, agents: new Set(), groups: false, tiles: false, alerts: false, facts: true };
  }

  picture(message) {
    this.clear();
    this.known = true;
    this.take(message);
    this.fresh.clear();
    this.changed.everything = true;
  }

  change(message) {
    this.take(message);
  }

  take(message) {
    this.outage = null;
    for (const [kind, items] of Object.entries(message.snapshots ?? {})) {
      for (const [id, snapshot] of Object.entries(items)) {
        put(this.snapshots[kind], id, snapshot);
        if (kind === "agent") this.changed.agents.add(id);
      }
      if (kind === "all") this.changed.tiles = true;
      else if (kind !== "agent") this.changed.groups = true;
    }
    for (const [id, presence] of Object.entries(message.presence ?? {})) {
      put(this.presence, id, presence);
      this.changed.agents.add(id);
    }
    for (const [id, marks] of Object.entries(message.differing ?? {})) {
      put(this.differing, id, marks);
      this.changed.agents.add(id);
    }
    for (const [id, shares] of Object.entries(message.adjusted ?? {})) {
      put(this.adjusted, id, shares);
      this.changed.agents.add(id);
    }
    for (const [key, alert] of Object.entries(message.alerts ?? {})) {
      if (alert && !this.alerts.has(key)) this.fresh.add(key);
      put(this.alerts, key, alert);
      this.changed.alerts = true;
    }
    if (message.recent?.length) {
      for (const step of message.recent) this.fresh.add(stepKey(step));
      const steps = [...message.recent, ...this.recent];
      this.recent = steps.sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 60);
      this.changed.alerts = true;
    }
    if ("marked" in message) this.changed.everything = true;
    for (const fact of ["clock", "marked", "behind", "shared", "unknown", "staff", "totals", "unreadable"]) {
      if (!(fact in message)) continue;
      this[fact] = message[fact];
      if (fact !== "clock") this.changed.facts = true;
      if (fact === "staff") this.changed.groups = true;
    }
  }

  // The server's clock, read at `ms`: of the last beats the one that was least delayed counts.
  beat(ms) {
    this.skews.push(ms - Date.now());
    if (this.skews.length > SKEWS) this.skews.shift();
    this.skew = Math.max(...this.skews);
  }

  serverNow() {
    return Date.now() + (this.skew ?? 0);
  }

  // Milliseconds since a worker last wrote; null where none ever has.
  age() {
    return this.clock ? Math.max(0, this.serverNow() - Date.parse(this.clock.updated)) : null;
  }

  // The operation's now (ms): on the wall clock it goes on by itself, on the event clock only with events.
  now() {
    if (!this.clock?.now) return null;
    const now = Date.parse(this.clock.now);
    return this.clock.mode === "wall" ? now + (this.serverNow() - Date.parse(this.clock.updated)) : now;
  }

  agentIds() {
    return new Set([...this.snapshots.agent.keys(), ...this.presence.keys()]);
  }

  teamOf(agent) {
    return this.snapshots.agent.get(agent)?.team ?? this.presence.get(agent)?.team ?? null;
  }

  // What changed since the last call.
  news() {
    const news = this.changed;
    this.changed = { everything: false, agents: new Set(), groups: false, tiles: false, alerts: false, facts: false };
    return news;
  }
}

export const stepKey = (step) => `${step.rule}|${step.entity}|${step.status}|${step.at}`;

function put(map, key, value) {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
