// The page: asks what there is to know, follows the stream, and draws what changed.

import { Agents } from "./agents.js";
import { Alerts } from "./alerts.js";
import { Board } from "./board.js";
import { drawDefinitions } from "./definitions.js";
import { find, make, setClass, setText } from "./dom.js";
import { Figures } from "./figures.js";
import { age, count, date, duration, time } from "./format.js";
import { Groups, needText, needTitle } from "./groups.js";
import { Judge } from "./judge.js";
import { followNames, unitOf } from "./names.js";
import { Pager } from "./pager.js";
import { follow } from "./stream.js";
import { askTargets, followTargets } from "./targets.js";
import { Tiles } from "./tiles.js";
import { chooseLanguage, label, language, named, otherLanguage, otherName, setLanguage, t } from "./language.js";

const LATE_MS = 5_000;
const STALE_MS = 30_000;
const RETRY_MS = 2_000;

const address = new URL(location.href);
const board = new Board();

class Page {
  constructor(meta) {
    this.meta = meta;
    this.version = meta.policy.version;
    this.connected = false;
    this.team = address.searchParams.get("team") ?? "";
    this.figures = new Figures(meta, new Judge(meta.rules));
    this.figures.window = this.wantedWindow();
    this.tiles = new Tiles(find("tiles"), this.figures, meta.layout);
    this.groups = new Groups(find("groups"), this.figures, meta.layout, (team) =>
      this.chooseTeam(team === this.team ? "" : team),
    );
    const panel = document.querySelector(".agents");
    this.agents = new Agents(panel, this.figures, meta.layout);
    this.alerts = new Alerts(document.querySelector(".alerts"), meta);
    this.pager = new Pager(
      [panel.querySelector(".scroll"), find("groups"), find("alerts")],
      find("rotate"),
      address.searchParams.get("rotate"),
    );
    this.makeWindows();
    find("lang").addEventListener("click", () => this.chooseLanguage(otherLanguage()));
    find("filter").addEventListener("input", (event) => this.agents.filter(event.target.value));
    find("team").addEventListener("change", (event) => this.chooseTeam(event.target.value));
    find("definitions-open").addEventListener("click", () => find("definitions").showModal());
    this.relabel();
    this.connect();
    const redraw = () => {
      board.changed.everything = true;
      this.drawSoon();
    };
    followNames(redraw);
    followTargets(meta.layout, () => this.team, redraw);
    setInterval(() => this.tick(), 1_000);
    setInterval(() => this.drawAge(), 250);
  }

  // -- choices -------------------------------------------------------------------------------------------------------

  wantedWindow() {
    const known = ["usual", ...this.meta.windows.map((window) => window.id)];
    const asked = [address.searchParams.get("window"), localStorage.getItem("deskpulse.window")];
    return asked.find((window) => known.includes(window)) ?? "usual";
  }

  makeWindows() {
    for (const id of ["usual", ...this.meta.windows.map((window) => window.id)]) {
      const button = make("button", "", { type: "button", "data-window": id });
      button.addEventListener("click", () => {
        this.figures.window = id;
        localStorage.setItem("deskpulse.window", id);
        this.relabel();
      });
      find("windows").append(button);
    }
  }

  chooseTeam(team) {
    this.team = team;
    if (team) address.searchParams.set("team", team);
    else address.searchParams.delete("team");
    history.replaceState(null, "", address);
    this.connect();
    askTargets();
  }

  chooseLanguage(lang) {
    setLanguage(lang);
    this.relabel();
  }

  // -- the stream ----------------------------------------------------------------------------------------------------

  connect() {
    this.stop?.();
    this.stop = follow(this.team, {
      picture: (message) => board.picture(message),
      change: (message) => board.change(message),
      outage: (why) => (board.outage = why),
      beat: ({ now, page }) => {
        if (page !== this.meta.page) reloadOnce(page);
        board.beat(Date.parse(now));
      },
      connection: (up) => (this.connected = up),
      told: () => this.drawSoon(),
    });
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  drawSoon() {
    if (this.waits) return;
    this.waits = true;
    const draw = () => {
      if (!this.waits) return;
      this.waits = false;
      this.draw();
    };
    // A hidden tab gets no animation frames; the timer keeps its figures from going stale.
    requestAnimationFrame(draw);
    setTimeout(draw, 1_000);
  }

  draw() {
    const news = board.news();
    const all = news.everything;
    if (all || news.tiles) this.tiles.draw(board.snapshots.all.get("all"));
    if (all || news.groups) {
      this.groups.draw(board, this.team);
      this.drawTeams();
    }
    if (all || news.agents.size) this.agents.draw(board, all ? null : news.agents);
    if (all || news.alerts || news.facts) this.alerts.draw(board);
    if (all || news.facts) this.drawFacts();
    if (all) this.tick();
    this.drawAge();
  }

  relabel() {
    label(document);
    document.title = `Deskpulse · ${t().title}`;
    setText(find("lang"), otherName());
    find("windows").setAttribute("aria-label", t().window);
    for (const button of find("windows").children) {
      const id = button.dataset.window;
      const window = this.meta.windows.find((each) => each.id === id);
      setText(button, window ? named(window) : t().usual);
      button.setAttribute("aria-pressed", String(id === this.figures.window));
    }
    drawDefinitions(find("definitions"), this.meta, this.version);
    this.agents.drawHead();
    board.changed.everything = true;
    this.draw();
  }

  drawTeams() {
    const select = find("team");
    const teams = new Set([...board.snapshots.team.keys(), ...Object.keys(board.staff).filter(Boolean)]);
    if (this.team) teams.add(this.team);
    const names = [...teams].sort(new Intl.Collator(undefined, { numeric: true }).compare);
    const shown = names.map((name) => new Option(unitOf("team", name, language()), name));
    const key = `${language()} ${JSON.stringify(shown.map((option) => [option.value, option.text]))}`;
    if (this.teamsShown !== key) {
      this.teamsShown = key;
      select.replaceChildren(new Option(t().all_teams, ""), ...shown);
    }
    select.value = this.team;
  }

  drawFacts() {
    const states = {};
    for (const [team, counts] of Object.entries(board.staff)) {
      if (this.team && team !== this.team) continue;
      for (const [state, n] of Object.entries(counts)) states[state] = (states[state] ?? 0) + n;
    }
    const known = Object.keys(t().states);
    const order = [...known, ...Object.keys(states).filter((state) => !known.includes(state))];
    find("staff").replaceChildren(
      ...order
        .filter((state) => states[state])
        .map((state) => {
          const el = make("span", `state ${state}`);
          el.textContent = `${t().states[state] ?? state} ${count(states[state])}`;
          return el;
        }),
    );
    const need = needText(board.snapshots.all.get("all"));
    if (need && !this.team) {
      const el = make("span", "state staffing", { "data-role": "staffing" });
      el.textContent = need;
      el.title = needTitle(board.snapshots.all.get("all"));
      find("staff").append(el);
    }
    const total = board.totals.agent ?? 0;
    const here = board.agentIds().size;
    find("agents-note").hidden = here >= total;
    setText(find("agents-note"), t().truncated(count(here), count(total)));
    find("shared").hidden = !board.shared.total;
    setText(find("shared"), t().shared(board.shared.total, board.shared.today, board.shared.named.slice(0, 3)));
    find("shared").title = board.shared.named.join(" · ");
    find("unknown").hidden = !board.unknown.events;
    setText(find("unknown"), t().unknown(board.unknown.events, board.unknown.named.slice(0, 2)));
    find("unknown").title = board.unknown.named.join("\n");
    find("unreadable").hidden = !board.unreadable;
    setText(find("unreadable"), t().unreadable(board.unreadable));
    const version = board.clock?.policy ?? this.meta.policy.version;
    setText(find("policy"), t().policy_line(version, this.meta.zone));
    if (version !== this.version) {
      this.version = version; // another one is in force since midnight
      drawDefinitions(find("definitions"), this.meta, version);
    }
  }

  // Once a second.
  tick() {
    const now = board.now();
    this.agents.tick(now);
    this.alerts.tick(now);
    setText(document.querySelector(".clock"), now == null ? "--:--:--" : time(now, this.meta.zone));
    setText(find("date"), now == null ? "" : date(now, this.meta.zone));
    const mode = board.clock?.mode;
    find("mode").hidden = !mode;
    if (mode) {
      setText(find("mode"), t()[`mode_${mode}`]);
      setClass(find("mode"), `badge ${mode}`);
    }
  }

  drawAge() {
    const ms = board.age();
    const known = ms != null;
    const stands = !known ? "none" : ms > STALE_MS ? "bad" : ms > LATE_MS ? "near" : "good";
    setText(find("age"), known ? t().age(age(ms)) : t().age_none);
    setClass(find("age"), `badge ${stands}`);
    this.drawBanner(known && ms > STALE_MS ? duration(ms / 1000) : "");
  }

  drawBanner(stale) {
    const { outage } = board;
    let text = "";
    if (!this.connected) text = board.clock ? t().disconnected : t().connecting;
    else if (outage) text = [outage[language()] ?? outage.en, outage.detail].filter(Boolean).join(" · ");
    else if (stale) text = t().stale(stale);
    document.body.classList.toggle("frozen", Boolean(text));
    if (!text && board.behind) text = t().behind(board.behind.toLocaleString());
    const banner = find("banner");
    setText(banner, text);
    banner.hidden = !text;
  }
}

// The server has other files: a screen on the wall has nobody to press reload. Once per version, so that two servers of
// different versions behind one address do not keep a screen reloading.
function reloadOnce(page) {
  if (sessionStorage.getItem("deskpulse.page") === page) return;
  sessionStorage.setItem("deskpulse.page", page);
  location.reload();
}

async function start() {
  chooseLanguage(address.searchParams.get("lang"));
  label(document);
  const banner = find("banner");
  for (;;) {
    try {
      const answer = await fetch("/api/meta");
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      return new Page(await answer.json());
    } catch (error) {
      setText(banner, t().with_detail(t().connecting, error.message));
      banner.hidden = false;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

start();
