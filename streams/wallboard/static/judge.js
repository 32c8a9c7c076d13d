// How a value stands against the alert rules: the rules' own thresholds, nothing else.

// good: past `clear` of every rule · near: between `clear` and the threshold · bad: on the wrong side of a threshold ·
// few: fewer things counted than a rule asks for · plain: nobody has set a threshold · none: no data.
const GRAVITY = ["good", "near", "bad"];

const breached = (rule, value) => (rule.below != null ? value < rule.below : value > rule.above);

function cleared(rule, value) {
  const clear = rule.clear ?? rule.threshold;
  return rule.below != null ? value >= clear : value <= clear;
}

export class Judge {
  constructor(rules) {
    this.rules = new Map();
    for (const rule of rules.filter((each) => each.threshold !== null)) this.rules.set(rule.kpi, [...(this.rules.get(rule.kpi) ?? []), rule]);
  }

  // The rules that speak about a KPI in a window: those of this window, else those of any.
  of(kpi, window) {
    const all = this.rules.get(kpi) ?? [];
    const same = all.filter((rule) => rule.window === window);
    return same.length ? same : all;
  }

  // → [how it stands, the rule that says so]; where there is a target it says, of as many things as the first rule asks for.
  verdict(kpi, window, value, n, target = null) {
    if (value == null) return ["none", null];
    const rules = this.of(kpi, window);
    if (target) {
      const { op, number } = target;
      const asked = { target: true, threshold: number, min_n: rules[0]?.min_n ?? 1, ...(op === ">=" ? { below: number } : { above: number }) };
      return [n < asked.min_n ? "few" : breached(asked, value) ? "bad" : "good", asked];
    }
    if (!rules.length) return ["plain", null];
    const enough = rules.filter((rule) => n >= rule.min_n);
    if (!enough.length) return ["few", rules[0]];
    let worst = ["good", enough[0]];
    for (const rule of enough) {
      const stands = breached(rule, value) ? "bad" : cleared(rule, value) ? "good" : "near";
      if (GRAVITY.indexOf(stands) > GRAVITY.indexOf(worst[0])) worst = [stands, rule];
    }
    return worst;
  }
}
