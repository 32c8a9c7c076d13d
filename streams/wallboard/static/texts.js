// Every word on the page that does not come from the server, in both languages; and which language is on.

const TEXTS = {
  zh: {
    locale: "zh-CN",
    other: "English",
    title: "客服实时大屏",
    operation: "全中心",
    groups: "班组与队列",
    agents: "坐席",
    team: "班组",
    queue: "队列",
    site: "职场",
    all: "全中心",
    agent: "坐席",
    id: "坐席",
    state: "状态",
    all_teams: "全部班组",
    sort: "排序",
    sort_default: "在岗优先",
    on_duty: "在岗",
    needed: "需要",
    filter: "筛选坐席、班组、状态",
    rotate: "自动翻页",
    no_agents: "没有符合条件的坐席",
    truncated: (shown, total) => `共 ${total} 名坐席，显示前 ${shown} 名，未全部显示的班组不作比较；请选择班组`,
    alerts: "告警",
    no_alerts: "当前没有未恢复的告警",
    recent: "最近动态",
    since: (at, held) => (held ? `${at} 起 · 已持续 ${held}` : `${at} 起`),
    threshold: "告警线",
    target: "目标",
    reached: "达标",
    missed: "未达标",
    few: "样本量不足",
    few_of: (n, min) => `样本量不足（${n} < ${min}）`,
    good: "正常",
    near: "临界",
    bad: "超限",
    none: "无数据",
    better: "更好",
    worse: "更差",
    higher: "更高",
    lower: "更低",
    differs_from_team: (how) => `与班组其他成员差异显著：${how}（今日；原因需人工核实）`,
    differs_legend: "今日与班组其他成员差异显著（原因需人工核实）：",
    differs_about: "坐席数值旁的 ⊕ ⊖ ↑ ↓：今日与班组其他成员差异显著（更好、更差、更高、更低）；标记不说明原因，需人工核实。",
    differs_more: "与班组其他成员的合计比较；误标比例平均不超过5%（错误发现率）。没有标记：差异不显著，或未作比较。工作内容不同（疑难队列、夜班）也会造成差异。",
    definitions: "指标说明",
    close: "关闭",
    formula: "公式",
    policy: "口径设置",
    rule: "告警规则",
    version: "版本",
    needs: "事件",
    traps: "注意",
    waiting: "当前排队量",
    longest_wait: "最长等待时长",
    waiting_short: "排队",
    usual: "各指标默认窗口",
    window: "统计窗口",
    now: "当前",
    sample: (n) => `样本 ${n}`,
    least_sample: (n) => `样本 ≥ ${n}`,
    with_reason: (state, reason) => `${state}（${reason}）`,
    with_detail: (text, detail) => `${text}（${detail}）`,
    tiny: { "5m": "5分钟", "30m": "30分钟", today: "今日" },
    short: { "5m": "5分钟", "30m": "30分钟", today: "今日", now: "当前" },
    mode_wall: "实时",
    mode_event: "事件时钟 · 回放",
    age: (text) => `数据延迟 ${text}`,
    age_none: "无数据",
    connecting: "正在连接大屏服务…",
    disconnected: "与大屏服务的连接已中断，正在重连；下方为中断前的数据",
    behind: (n) => `数据处理有积压（约 ${n} 条），下方数据暂时滞后`,
    stale: (text) => `数据已 ${text} 未更新，请检查工作进程`,
    shared: (n, today, named) =>
      `${n} 个客户号为多人共用，今日有联络的 ${today} 个${named.length ? `：${named.join("、")}` : ""}；其联络按未识别客户统计`,
    unknown: (n, named) =>
      `约 ${n} 条事件的诉求类型或业务类型不在词表中${named.length ? `；可加入口径文件：${named.join("；")}` : ""}`,
    unreadable: (n) => `${n} 条数据无法解析（工作进程与大屏版本不一致？）`,
    policy_line: (version, zone) => `口径设置 ${version} · 时区 ${zone} · 区间为95%置信区间（比率 Wilson，均值 Student t）`,
    severity: { critical: "严重", warning: "警告", info: "提示" },
    status: { pending: "观察中", firing: "告警中", acknowledged: "已确认", escalated: "已升级", resolved: "已恢复" },
    states: {
      available: "空闲",
      on_contact: "服务中",
      wrap_up: "话后处理",
      away: "小休",
      training: "培训",
      offline: "离线",
      unknown: "未知",
    },
    // Why agents are away, by the words that sources use as a rule; others stand as they are.
    reasons: { break: "普通", lunch: "就餐", dinner: "就餐", meal: "就餐", meeting: "会议", training: "培训", other: "其他" },
  },
  en: {
    locale: "en-GB",
    other: "中文",
    title: "Live wallboard",
    operation: "Whole operation",
    groups: "Teams and queues",
    agents: "Agents",
    team: "Team",
    queue: "Queue",
    site: "Site",
    all: "Operation",
    agent: "Agent",
    id: "Agent",
    state: "State",
    all_teams: "All teams",
    sort: "Sort",
    sort_default: "On duty first",
    on_duty: "On",
    needed: "Needed",
    filter: "Filter agent, team, state",
    rotate: "Auto page",
    no_agents: "No agent fits",
    truncated: (shown, total) =>
      `${total} agents, the first ${shown} are shown, teams shown in part are not compared; choose a team`,
    alerts: "Alerts",
    no_alerts: "No open alert",
    recent: "Latest",
    since: (at, held) => (held ? `since ${at} · ${held}` : `since ${at}`),
    threshold: "Alert",
    target: "Target",
    reached: "Reached",
    missed: "Missed",
    few: "Few",
    few_of: (n, min) => `Few (${n} < ${min})`,
    good: "Good",
    near: "Near",
    bad: "Alert",
    none: "No data",
    better: "better",
    worse: "worse",
    higher: "higher",
    lower: "lower",
    differs_from_team: (how) => `Differs from the rest of the team: ${how} (today, beyond chance; cannot say why)`,
    differs_legend: "Differs today from the rest of the team beyond chance (cannot say why):",
    differs_about:
      "⊕ ⊖ ↑ ↓ beside an agent’s figure: today it differs from the rest of the team, better, worse, higher, lower, beyond chance; it cannot say why.",
    differs_more:
      "Compared with all others of the team together; of all marks 5 % at most are by chance on average. No mark: nobody can tell, or not compared. Other work (hard queues, nights) makes a difference too.",
    definitions: "Definitions",
    close: "Close",
    formula: "Formula",
    policy: "Policy",
    rule: "Alert rule",
    version: "version",
    needs: "Events",
    traps: "Note",
    waiting: "Waiting now",
    longest_wait: "Longest wait",
    waiting_short: "Wait",
    usual: "Usual",
    window: "Window",
    now: "Now",
    sample: (n) => `n ${n}`,
    least_sample: (n) => `n ≥ ${n}`,
    with_reason: (state, reason) => `${state} (${reason})`,
    with_detail: (text, detail) => `${text} (${detail})`,
    tiny: { "5m": "5m", "30m": "30m", today: "day" },
    short: { "5m": "5 min", "30m": "30 min", today: "Today", now: "Now" },
    mode_wall: "Live",
    mode_event: "Event clock · replay",
    age: (text) => `Data age ${text}`,
    age_none: "No data",
    connecting: "Connecting to the wallboard service…",
    disconnected: "Connection to the wallboard service lost, reconnecting; below is what was last known",
    behind: (n) => `The workers are catching up: some ${n} messages are not counted yet, the figures below are behind`,
    stale: (text) => `No update for ${text}; check the workers`,
    shared: (n, today, named) =>
      `Customer ids that many callers share: ${n}, seen today: ${today}${named.length ? ` (${named.join(", ")})` : ""}; their contacts count as those of unknown customers`,
    unknown: (n, named) =>
      `Kinds or topics in no list: some ${n} events${named.length ? `; to add to the policy: ${named.join("; ")}` : ""}`,
    unreadable: (n) => `${n} values could not be read (workers and wallboard of different versions?)`,
    policy_line: (version, zone) => `Policy ${version} · ${zone} · n: things counted; 95 % intervals: Wilson for shares, Student’s t for means`,
    severity: { critical: "Critical", warning: "Warning", info: "Info" },
    status: {
      pending: "pending",
      firing: "firing",
      acknowledged: "acknowledged",
      escalated: "escalated",
      resolved: "resolved",
    },
    states: {
      available: "Available",
      on_contact: "On contact",
      wrap_up: "Wrap-up",
      away: "Away",
      training: "Training",
      offline: "Offline",
      unknown: "Unknown",
    },
    reasons: {},
  },
};

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
export const otherLanguage = () => (current === "zh" ? "en" : "zh");
export const t = () => TEXTS[current];

// A thing of the server that carries its names as zh and en.
export const named = (thing) => tidy(thing[current] || thing.en || thing.zh || thing.id);

// A KPI without the other names that the trade has for it, where room is short.
export const shortly = (kpi) => tidy(kpi[`short_${current}`] || named(kpi));

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
