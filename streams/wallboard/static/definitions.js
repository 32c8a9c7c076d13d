// What every KPI means, in which version, and which rules watch it.

import { make } from "./dom.js";
import { ruleText } from "./figures.js";
import { language, named, saidOf, t } from "./language.js";

export function drawDefinitions(dialog, meta, version) {
  dialog.querySelector(".list").replaceChildren(...meta.kpis.map((kpi) => definition(kpi, meta, version)));
}

function definition(kpi, meta, version) {
  const el = make("article", "definition", { "data-kpi": kpi.id });
  const title = make("h3");
  title.textContent = named(kpi);
  const id = make("small");
  id.textContent = `${kpi.id} · ${t().version} ${kpi.version}`;
  title.append(id);
  const list = make("dl");
  line(list, t().formula, saidOf(kpi, "formula"));
  const values = meta.policies.find((each) => each.version === version) ?? meta.policy;
  line(list, t().policy, Object.keys(kpi.policy).map((name) => `${name} = ${policyText(values[name])}`).join(" · "));
  for (const rule of meta.rules.filter((rule) => rule.kpi === kpi.id)) {
    line(list, t().rule, `${named(rule)} · ${t().short[rule.window]} · ${ruleText(rule, kpi.unit)} · n ≥ ${rule.min_n}`);
  }
  line(list, t().traps, kpi[`traps_${language()}`] ?? kpi.traps);
  line(list, t().needs, kpi.needs.join(" · "));
  el.append(title, list);
  return el;
}

function line(list, name, text) {
  if (!text) return;
  const term = make("dt");
  const said = make("dd");
  term.textContent = name;
  said.textContent = text;
  list.append(term, said);
}

function policyText(value) {
  if (Array.isArray(value)) return value.join("+");
  if (value && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k}: ≥ ${v}`).join(", ");
  return String(value);
}
