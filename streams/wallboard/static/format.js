// Values as people read them. No data is a dash, never 0.

import { language, t } from "./language.js";

export const NONE = "—";
const NBSP = "\u00a0";

// Formatters are slow to make and quick to use.
const made = new Map();

function formatter(Format, name, options) {
  const key = `${t().locale} ${name}`;
  if (!made.has(key)) made.set(key, new Format(t().locale, options));
  return made.get(key);
}

const number = (value, least, most = least) =>
  formatter(Intl.NumberFormat, `${least}-${most}`, { minimumFractionDigits: least, maximumFractionDigits: most }).format(
    value,
  );

export const count = (value) => (value == null ? NONE : number(value, 0));

const chinese = () => language() === "zh";
// Chinese has a space before words only: 93.4%, 0.1 秒.
const sign = (mark) => (chinese() ? mark : `${NBSP}${mark}`);
const SECONDS = { zh: "秒", en: "s" };

// 0.9342 → 93.4 %
export const percent = (ratio) => (ratio == null ? NONE : `${number(ratio * 100, 1)}${sign("%")}`);

// 0.9342 → 93 %
export const share = (ratio) => `${number(ratio * 100, 0)}${sign("%")}`;

// 272 → 4:32, 3872 → 1:04:32; in Chinese, where that would be a time of day: 4分32秒, 1小时4分
export function duration(seconds) {
  if (seconds == null) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  if (chinese()) return words(whole);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  if (!hours) return `${parts[0]}:${String(parts[1]).padStart(2, "0")}`;
  return [hours, ...parts.map((part) => String(part).padStart(2, "0"))].join(":");
}

function words(whole) {
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return minutes ? `${hours}小时${minutes}分` : `${hours}小时`;
  if (!minutes) return `${seconds}秒`;
  return seconds ? `${minutes}分${seconds}秒` : `${minutes}分钟`;
}

export function value(unit, amount) {
  if (amount == null) return NONE;
  if (unit === "ratio") return percent(amount);
  if (unit === "s") return duration(amount);
  if (unit === "per_mille") return `${number(amount, 2)}${sign("‰")}`;
  return unit === "n" ? count(amount) : number(amount, 2);
}

// A threshold: no more decimals than it has. 0.8 → 80 %
export function limit(unit, amount) {
  if (unit !== "ratio") return value(unit, amount);
  return `${number(amount * 100, 0, 2)}${sign("%")}`;
}

// 91.2–95.1 %, 4:12–5:03, 3.90–4.42; in Chinese 91.2%～95.1%
export function interval(unit, figure) {
  if (figure?.low == null || figure.high == null) return "";
  if (chinese()) return `${value(unit, figure.low)}～${value(unit, figure.high)}`;
  const low = unit === "ratio" ? number(figure.low * 100, 1) : value(unit, figure.low);
  return `${low}–${value(unit, figure.high)}`;
}

// Milliseconds → 1.2 s, 45 s, 1:04:32 (1.2 秒, 45 秒, 1小时4分)
export function age(ms) {
  if (ms >= 60_000) return duration(ms / 1000);
  return `${number(ms / 1000, ms < 10_000 ? 1 : 0)}${NBSP}${SECONDS[language()] ?? SECONDS.en}`;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

const dates = (name, options) => (ms, timeZone) =>
  formatter(Intl.DateTimeFormat, `${name} ${timeZone}`, { timeZone, ...options }).format(ms);

export const time = dates("time", { ...CLOCK, second: "2-digit" });
export const shortTime = dates("short", CLOCK);
const day = dates("date", { year: "numeric", month: "long", day: "numeric", weekday: "short" });
// 2026年11月21日 周六
export const date = (ms, timeZone) => day(ms, timeZone).replace(/日(?=周)/, "日 ");
