// The big tiles: the whole operation at a glance.

import { lead } from "./contacts.js";
import { arrange, make, setClass, setText } from "./dom.js";
import { ruleText, sampleText, standsText } from "./figures.js";
import { NONE, count } from "./format.js";
import { t } from "./language.js";

export class Tiles {
  constructor(root, figures, layout) {
    this.figures = figures;
    this.tiles = layout.tiles.map((shown) => new Tile(shown));
    this.waiting = new WaitingTile();
    const all = [...this.tiles];
    all.splice(layout.waiting_place, 0, this.waiting);
    arrange(root, all.map((tile) => tile.el));
  }

  draw(snapshot) {
    for (const tile of this.tiles) tile.draw(this.figures, snapshot);
    this.waiting.draw(this.figures, snapshot);
  }
}

function parts(el, names) {
  return Object.fromEntries(
    names.map((name) => {
      const part = make(name === "value" ? "a" : "span", name, { "data-role": name });
      el.append(part);
      return [name, part];
    }),
  );
}

class Tile {
  constructor(shown) {
    this.shown = shown;
    this.el = make("article", "tile", { "data-testid": "tile", "data-kpi": shown.kpi });
    Object.assign(this, parts(this.el, ["name", "window", "value", "stands", "track", "sample", "rule"]));
    this.range = make("i", "range");
    this.point = make("i", "point");
    this.tick = make("i", "tick");
    this.track.append(this.range, this.tick, this.point);
    this.track.setAttribute("aria-hidden", "true");
  }

  draw(figures, snapshot) {
    const { kpi, window, n, amount, figure, stands, rule, text } = figures.of(snapshot, this.shown);
    setClass(this.el, `tile ${stands}`);
    setText(this.name, figures.name(this.shown));
    setText(this.window, t().short[window]);
    setText(this.value, text);
    lead(this.value, figures.behind(snapshot, this.shown, amount), t().day_contacts);
    setText(this.stands, standsText(stands, rule, n));
    setText(this.sample, amount == null ? "" : sampleText(n, figure, kpi.unit));
    setText(this.rule, ruleText(rule ?? figures.judge.of(kpi.id, window)[0], kpi.unit));
    this.drawTrack(kpi, amount, figure, rule);
  }

  // The interval on the way from 0 to 100 %, with the threshold on it.
  drawTrack(kpi, amount, figure, rule) {
    const share = kpi.kind === "rate" && amount != null && figure.low != null;
    this.track.classList.toggle("empty", !share);
    if (!share) return;
    const at = (ratio) => `${Math.min(100, Math.max(0, ratio * 100))}%`;
    this.range.style.left = at(figure.low);
    this.range.style.right = at(1 - figure.high);
    this.point.style.left = at(amount);
    this.tick.hidden = !rule;
    if (rule) this.tick.style.left = at(rule.threshold);
  }
}

class WaitingTile {
  constructor() {
    this.el = make("article", "tile waiting", { "data-testid": "tile", "data-kpi": "waiting" });
    Object.assign(this, parts(this.el, ["name", "window", "value", "stands", "longest", "rule"]));
    this.label = make("span", "label");
    this.wait = make("span", "wait", { "data-role": "longest_wait" });
    this.longest.append(this.label, this.wait);
  }

  draw(figures, snapshot) {
    const { stands, rule, text } = figures.wait(snapshot);
    const waits = (snapshot?.waiting ?? 0) > 0;
    // Nobody in the queue is good news, not missing data.
    const shown = !snapshot ? "none" : waits ? stands : "good";
    setClass(this.el, `tile waiting ${shown}`);
    setText(this.name, t().waiting);
    setText(this.window, t().now);
    setText(this.value, snapshot ? count(snapshot.waiting ?? 0) : NONE);
    setText(this.stands, standsText(shown, rule, snapshot?.waiting ?? 0));
    setText(this.label, t().longest_wait);
    setText(this.wait, text);
    setText(this.rule, ruleText(rule ?? figures.judge.of("longest_wait", "now")[0], "s"));
  }
}
