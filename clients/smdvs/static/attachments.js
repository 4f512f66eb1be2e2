// Uploads files of a form one after another, without leaving the page. Without it the form's button does that.
"use strict";

(() => {
  const attach = document.getElementById("attach");
  if (!attach) return;
  const form = attach.closest("form");
  const picker = document.getElementById("file");
  const kind = document.getElementById("attachment_kind");
  const list = document.getElementById("attachment-list");
  const progress = document.getElementById("attach-progress");
  const address = `/smdvs/drafts/${attach.dataset.form}/attachments`;
  let waiting = Promise.resolve();

  picker.multiple = true;
  document.getElementById("attach-button").hidden = true;

  function made(tag, text, className = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    element.className = className;
    return element;
  }

  function add(file) {
    const item = document.createElement("li");
    const link = made("a", file.filename, "file-name");
    link.href = `${address}/${file.id}`;
    const button = made("button", "移除", "btn btn-outline-secondary btn-sm");
    Object.assign(button, { type: "submit", name: "action", value: `detach_${file.id}`, formNoValidate: true });
    button.setAttribute("aria-label", `移除 ${file.filename}`);
    item.append(link, " ", made("span", `${file.kind_words} · ${file.size_words}`, "muted"), " ", button);
    list.append(item);
  }

  function send(file, kindOfFile) {
    const body = new FormData();
    for (const name of ["csrf_token", "enterprise_credit_code"]) {
      body.append(name, form.elements[name]?.value ?? "");
    }
    body.append("attachment_kind", kindOfFile);
    body.append("file", file);
    const line = made("p", `${file.name}：等待上传`);
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    line.append(" ", bar);
    progress.append(line);
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      const failed = (text) => { line.textContent = `${file.name}：没有上传。${text}`; line.className = "upload-failed"; done(); };
      request.upload.onprogress = (event) => {
        if (!event.lengthComputable) return;
        bar.value = event.loaded / event.total;
        const words = bar.value < 1 ? `已上传 ${Math.floor(bar.value * 100)}%` : "正在检查和加密";
        line.firstChild.textContent = `${file.name}：${words}`;
      };
      request.onload = () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* a page that says why */ }
        if (request.status === 201) { add(answer); line.remove(); done(); return; }
        const large = request.status === 413 ? "单个文件不能超过 20 MB。" : "请稍后重试。";
        failed(answer.text ? `${answer.text}。` : large);
      };
      request.onerror = () => failed("网络中断，请重试。");
      request.open("POST", address);
      request.send(body);
    });
  }

  function take(files) {
    const chosen = kind.value;
    for (const file of files) waiting = waiting.then(() => send(file, chosen));
  }

  picker.addEventListener("change", () => {
    take([...picker.files]);
    picker.value = "";
  });
  for (const name of ["dragover", "drop"]) {
    attach.addEventListener(name, (event) => {
      event.preventDefault();
      if (name === "drop") take([...event.dataTransfer.files]);
    });
  }
})();
