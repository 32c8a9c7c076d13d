/** Texts in the language that somebody has chosen, else their browser's. A further language is one file in languages/. */
import type { Named } from "./types";

type Texts = Record<string, string>;
const files = import.meta.glob<Texts>("./languages/*.json", { eager: true, import: "default" });
const languages: Record<string, Texts> = {};
for (const [path, texts] of Object.entries(files)) languages[path.replace(/^.*\/|\.json$/g, "")] = texts;

function preferred(): string {
  const kept = localStorage.getItem("language");
  const liked = [...(kept ? [kept] : []), ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
  return liked.find((code) => code in languages) ?? "en";
}

const chosen = $state({ code: preferred() });

export function language(): string {
  return chosen.code;
}
export function all(): { code: string; name: string }[] {
  return Object.keys(languages)
    .sort()
    .reverse()
    .map((code) => ({ code, name: languages[code]?.["language"] ?? code }));
}
export function choose(code: string): void {
  chosen.code = code;
  localStorage.setItem("language", code);
}
/** The text of a key, with values put in for {names}. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = languages[chosen.code]?.[key] ?? languages["en"]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
/** What something is called, of a table from language to name. */
export function named(name: Named | null | undefined, otherwise: string): string {
  return name?.[chosen.code] ?? name?.["en"] ?? (name ? Object.values(name)[0] : undefined) ?? otherwise;
}
