// Keeps each <time class="countdown"> up to date. The rule is countdown.py's; a test compares the two.
"use strict";

(() => {
  const MINUTE = 60 * 1000;
  const HOUR = 60 * MINUTE;
  const LEVEL_WORDS = { calm: "", soon: "临近截止，", urgent: "紧急，", late: "" };

  function level(dueAt, now) {
    const left = dueAt - now;
    if (left < 0) return "late";
    if (left <= 4 * HOUR) return "urgent";
    return left <= 24 * HOUR ? "soon" : "calm";
  }

  function rest(number, unit) {
    return number ? ` ${number} ${unit}` : "";
  }

  function span(milliseconds) {
    const minutes = Math.floor(milliseconds / MINUTE);
    if (minutes < 1) return "不足 1 分钟";
    if (minutes < 60) return ` ${minutes} 分钟`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return ` ${hours} 小时` + rest(minutes % 60, "分");
    return ` ${Math.floor(hours / 24)} 天` + rest(hours % 24, "小时");
  }

  function words(dueAt, now) {
    const how = level(dueAt, now);
    return LEVEL_WORDS[how] + (how === "late" ? "已逾期" : "还剩") + span(Math.abs(dueAt - now));
  }

  globalThis.smdvsCountdown = { level, words };
  if (typeof document === "undefined") return;

  const loadedAt = Date.now();

  function refresh() {
    for (const shown of document.querySelectorAll("time.countdown[data-now]")) {
      // The server's clock, and only what has passed since by the browser's.
      const now = Date.parse(shown.dataset.now) + Date.now() - loadedAt;
      const dueAt = Date.parse(shown.dateTime);
      const text = words(dueAt, now);
      if (shown.textContent !== text) shown.textContent = text;
      shown.dataset.level = level(dueAt, now);
    }
  }

  setInterval(refresh, MINUTE);
  // A tab that was asleep is right again when it is looked at.
  document.addEventListener("visibilitychange", refresh);
})();
