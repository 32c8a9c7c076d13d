// Every word on the page that does not come from the server, in both languages; and which language is on.

const TEXTS = {
  zh: {
    locale: "zh-CN",
    other: "English",
    title: "客服实时看板",
    operation: "全部运营",
    groups: "班组与队列",
    agents: "坐席",
    team: "班组",
    queue: "队列",
    site: "职场",
    all: "全部运营",
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
    since: "自",
    threshold: "警戒",
    target: "目标",
    reached: "达标",
    missed: "未达标",
    few: "样本少",
    few_of: (n, min) => `样本少（${n} < ${min}）`,
    good: "正常",
    near: "临界",
    bad: "告警",
    none: "无数据",
    better: "更好",
    worse: "更差",
    higher: "更高",
    lower: "更低",
    differs_from_team: (how) => `与班组其他人不同：${how}（今日，差异超出偶然；原因无从得知）`,
    differs_legend: "今日与班组其他人不同，超出偶然（原因无从得知）：",
    differs_about: "坐席数值旁的 ⊕ ⊖ ↑ ↓：今日与班组其他人不同，更好、更差、更高、更低，差异超出偶然；原因无从得知。",
    differs_more: "与班组其他所有人合在一起比较；所有标记中平均最多 5 % 出于偶然。没有标记：无法判断，或未作比较。工作不同（难队列、夜班）也会造成差异。",
    definitions: "指标说明",
    close: "关闭",
    formula: "口径",
    policy: "政策",
    rule: "告警规则",
    version: "版本",
    needs: "事件",
    traps: "注意",
    waiting: "排队等待",
    longest_wait: "最长等待",
    waiting_short: "排队",
    usual: "常用窗口",
    window: "统计窗口",
    now: "此刻",
    tiny: { "5m": "5分", "30m": "30分", today: "今日" },
    short: { "5m": "5 分", "30m": "30 分", today: "今日", now: "此刻" },
    mode_wall: "实时",
    mode_event: "事件时钟 · 回放",
    age: (text) => `数据延迟 ${text}`,
    age_none: "无数据",
    connecting: "正在连接看板服务…",
    disconnected: "与看板服务的连接已中断，正在重连；下方是中断前的数据",
    behind: (n) => `工作进程正在追赶：还有约 ${n} 条消息未计入，下方数字暂时偏旧`,
    stale: (text) => `数据已 ${text} 没有更新，请检查工作进程`,
    shared: (n, today, named) =>
      `${n} 个客户号为多人共用，今日有来访 ${today} 个${named.length ? `：${named.join("、")}` : ""}；其联络按未知客户计`,
    unknown: (n, named) =>
      `约 ${n} 条事件的类别或主题不在任何词表中${named.length ? `；可加入政策文件：${named.join("；")}` : ""}`,
    unreadable: (n) => `${n} 条数据无法解析（工作进程与看板版本不一致？）`,
    policy_line: (version, zone) => `政策 ${version} · 时区 ${zone} · n 为样本数，区间为 95 % 置信区间（比率 Wilson，均值 Student t）`,
    severity: { critical: "严重", warning: "警告", info: "提示" },
    status: { pending: "观察中", firing: "触发", acknowledged: "已确认", escalated: "已升级", resolved: "已恢复" },
    states: {
      available: "空闲",
      on_contact: "服务中",
      wrap_up: "话后",
      away: "小休",
      training: "培训",
      offline: "离线",
      unknown: "未知",
    },
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
    since: "since",
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
