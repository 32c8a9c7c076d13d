// Turns the pages of lists that are longer than the screen: a TV has nobody to scroll them.

const EVERY_MS = 12_000;
const HANDS_OFF_MS = 60_000;

export class Pager {
  // `asked`: "0" or "1" from the address; null: as it was left here the last time.
  constructor(lists, button, asked) {
    this.lists = lists;
    this.button = button;
    this.touched = -HANDS_OFF_MS;
    this.set((asked ?? localStorage.getItem("deskpulse.rotate")) === "1");
    button.addEventListener("click", () => {
      this.set(!this.on);
      localStorage.setItem("deskpulse.rotate", this.on ? "1" : "0");
    });
    // Whoever reads along is left alone.
    for (const kind of ["wheel", "pointerdown", "keydown", "touchmove"]) {
      for (const list of lists) {
        list.addEventListener(kind, () => (this.touched = performance.now()), { passive: true });
      }
    }
    setInterval(() => this.turn(), EVERY_MS);
  }

  set(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
  }

  turn() {
    if (this.on && performance.now() - this.touched >= HANDS_OFF_MS) this.lists.forEach(turnPage);
  }
}

function turnPage(list) {
  const room = list.scrollHeight - list.clientHeight;
  if (room < 2) return;
  const head = list.querySelector(".head")?.offsetHeight ?? 0;
  const next = list.scrollTop >= room - 2 ? 0 : Math.min(room, list.scrollTop + list.clientHeight - head);
  list.scrollTo({ top: next, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
