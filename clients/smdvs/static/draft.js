// Saves the form a few seconds after typing stops, and when the page is left. The button 保存草稿 does the same
// without this script.
"use strict";
(() => {
  const form = document.getElementById("report-form");
  const state = document.getElementById("draft-state");
  if (!form || !state) return;
  const WAIT = 4000;
  let timer = null;
  let dirty = false;
  let stopped = false;

  const field = (name) => form.elements.namedItem(name);
  const body = () => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && name !== "action") data.append(name, value);
    }
    return data;
  };

  const save = async () => {
    if (!dirty || stopped) return;
    dirty = false;
    try {
      const answer = await fetch(`/smdvs/drafts/${form.dataset.draft}`, { method: "POST", body: body() });
      const said = await answer.json();
      state.textContent = said.text;
      if (answer.ok) field("draft_revision").value = said.revision;
      else stopped = true; // the words say what to do; the button still saves
    } catch {
      dirty = true;
      state.textContent = "网络不通或系统繁忙，内容尚未保存，稍后自动重试";
      timer = setTimeout(save, 3 * WAIT);
    }
  };

  form.addEventListener("input", () => {
    dirty = true;
    if (!stopped) state.textContent = "有修改，尚未保存";
    clearTimeout(timer);
    timer = setTimeout(save, WAIT);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    stopped = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || !dirty || stopped) return;
    // A page that goes away can't wait for an answer; the window stays the same, so the next save is taken.
    // More than 64 KB it does not take: the page, if it comes back, saves it then.
    dirty = !navigator.sendBeacon(`/smdvs/drafts/${form.dataset.draft}`, body());
  });
})();
