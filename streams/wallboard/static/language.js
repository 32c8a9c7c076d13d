// Which language is on, and what is said in it.

import { TEXTS } from "./texts.js";

// What a language leaves out, English has.
const SAID = Object.fromEntries(
  Object.entries(TEXTS).map(([code, own]) => {
    const whole = { ...TEXTS.en, ...own };
    for (const [name, words] of Object.entries(TEXTS.en)) {
      if (typeof words === "object") whole[name] = { ...words, ...own[name] };
    }
    return [code, whole];
  }),
);

let current = "zh";

export function chooseLanguage(asked) {
  const wanted = [asked, localStorage.getItem("deskpulse.lang"), ...navigator.languages];
  for (const tag of wanted) {
    const base = String(tag ?? "").slice(0, 2).toLowerCase();
    if (base in TEXTS) return setLanguage(base, false);
  }
  return setLanguage("zh", false);
}

export function setLanguage(lang, remember = true) {
  current = lang;
  if (remember) localStorage.setItem("deskpulse.lang", lang);
  document.documentElement.lang = TEXTS[lang].locale;
}

export const language = () => current;
const CODES = Object.keys(TEXTS);
export const otherLanguage = () => CODES[(CODES.indexOf(current) + 1) % CODES.length];
export const otherName = () => TEXTS[otherLanguage()].name;
export const t = () => SAID[current];

// A thing of the server that carries its names as zh and en.
export const named = (thing) => tidy(thing[current] || thing.en || thing.zh || thing.id);

// A KPI without the other names that the trade has for it, where room is short.
export const shortly = (kpi) => tidy(kpi[`short_${current}`] || named(kpi));

// The language in which the server says a field of a thing: the page's, or English where it has none in that.
const saidIn = (thing, field, lang) => thing[`${field}_${lang}`] ?? thing[`${field}s`]?.[lang];
export const languageOf = (thing, field) => (saidIn(thing, field, current) == null ? "en" : current);
export const saidOf = (thing, field) => saidIn(thing, field, languageOf(thing, field));

// A number and its unit stay on one line.
export const tidy = (text) => text.replace(/(\d) (?=[%s])/g, "$1\u00a0");

// Puts the words into everything under `root` that names a text.
export function label(root) {
  for (const el of root.querySelectorAll("[data-text]")) el.textContent = t()[el.dataset.text];
  for (const el of root.querySelectorAll("[data-title]")) el.title = t()[el.dataset.title];
  for (const el of root.querySelectorAll("[data-label]")) el.setAttribute("aria-label", t()[el.dataset.label]);
  for (const el of root.querySelectorAll("[data-placeholder]")) {
    el.placeholder = t()[el.dataset.placeholder];
    el.setAttribute("aria-label", t()[el.dataset.placeholder]);
  }
}
