// From a figure to the contacts behind it, at the desk; to nothing where there is no desk, or a KPI has no contacts.

const WINDOWS = ["5m", "30m", "today"];

export class Contacts {
  constructor(meta) {
    this.where = meta.contacts;
    this.known = new Set(meta.contacts ? meta.kpis.filter((kpi) => kpi.has_contacts).map((kpi) => kpi.id) : []);
    this.wall = new Intl.DateTimeFormat("sv-SE", { timeZone: meta.zone, dateStyle: "short", timeStyle: "medium" });
    this.days = new Map();
  }

  // Of the day of the operation in which `at` lies.
  ofDay(kpi, entity, at) {
    return at && this.known.has(kpi) ? filled(this.where.day, { kpi, entity, first: this.dayOf(at) }) : "";
  }

  // Of the window that the alert watches, while there is something in it; else of the day.
  ofAlert({ kpi, entity, window, status, at }) {
    if (status !== "firing" || !WINDOWS.includes(window) || !this.known.has(kpi)) return this.ofDay(kpi, entity, at);
    return filled(this.where.window, { kpi, entity, at, window });
  }

  // The clock on the operation's wall, put back by when its day begins.
  dayOf(at) {
    if (!this.days.has(at)) {
      const wall = Date.parse(`${this.wall.format(Date.parse(at)).replace(" ", "T")}Z`);
      if (this.days.size > 100) this.days.clear();
      this.days.set(at, new Date(wall - this.where.day_starts_ms).toISOString().slice(0, 10));
    }
    return this.days.get(at);
  }
}

// Leads an anchor there. One that leads nowhere is text: neither pointer nor keyboard stops at it.
export function lead(el, address, title) {
  if ((el.shownAddress ?? "") !== address) {
    el.shownAddress = address;
    if (address) Object.assign(el, { href: address, target: "_blank", rel: "noopener" });
    else for (const name of ["href", "target", "rel"]) el.removeAttribute(name);
  }
  const said = address ? title : "";
  if ((el.shownTitle ?? "") !== said) el.title = el.shownTitle = said;
}

function filled(pattern, given) {
  return pattern.replace(/\{(kpi|entity|first|at|window)\}/g, (_, name) => encodeURIComponent(given[name]));
}
