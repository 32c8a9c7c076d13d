// Names of people: fetched beside the stream, which has ids only, and put in where they are shown.

import { TEXTS } from "./texts.js";

const EVERY_MS = 30_000;

// Behind the `#` of the address, so that it is sent to no server but in a header: …/?team=hotline#token=…
const token = new URLSearchParams(location.hash.slice(1)).get("token");
let agents = {};
let units = {};

// What an agent is called in this language; the id where nobody may say.
export const nameOf = (id, lang) => agents[id]?.[lang] ?? id;

// What a team, queue or site is called; the id where it has no name.
export const unitOf = (kind, id, lang) => units[`${kind}|${id}`]?.[lang] ?? id;

// A reason of an alert with the name of whom it is about in it, as `streams/alerts/naming.py` puts it in.
export function named(text, entity, lang) {
  const [kind, ...rest] = entity.split("|");
  const id = rest.join("|");
  const word = TEXTS[lang].of[kind];
  const name = kind === "agent" ? nameOf(id, lang) : unitOf(kind, id, lang);
  return word && name !== id ? text.replace(`${word} ${id}`, () => `${word} ${name}`) : text;
}

// `changed` is called when somebody has another name than before.
export async function followNames(changed) {
  for (;;) {
    try {
      const answer = await fetch("/api/names", { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      // A token that has ended takes the names with it.
      const before = { agents, units };
      const told = answer.ok ? await answer.json() : answer.status === 401 ? { agents: {}, units } : before;
      if (JSON.stringify(told) !== JSON.stringify(before)) {
        ({ agents, units } = told);
        changed();
      }
    } catch {
      // The stream says when the server is away.
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
