/** Light or dark: as the system has it, unless somebody has chosen; a screen on a wall is dark. */
export type Theme = "auto" | "light" | "dark";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function theme(): Theme {
  const kept = localStorage.getItem("theme");
  return kept === "light" || kept === "dark" ? kept : "auto";
}
export function show(chosen: Theme, tv: boolean): void {
  localStorage.setItem("theme", chosen);
  const isDark = chosen === "dark" || (chosen === "auto" && (tv || dark.matches));
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  document.documentElement.toggleAttribute("data-tv", tv);
}
export function follow(tv: () => boolean): void {
  dark.addEventListener("change", () => show(theme(), tv()));
}
