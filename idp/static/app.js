// Comfort only: every page works without this file.
"use strict";

// The texts come with the element that loads this file: the page knows its language.
const texts = document.currentScript.dataset;

function say(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// 获取验证码 without leaving the page, and a countdown until the next one may be asked for.
function countDown(button, seconds) {
  const label = button.dataset.label || button.textContent;
  button.dataset.label = label;
  if (seconds <= 0) {
    button.disabled = false;
    button.textContent = label;
    return;
  }
  button.disabled = true;
  button.textContent = say(texts.again, { seconds });
  setTimeout(() => countDown(button, seconds - 1), 1000);
}

function showProblem(form, name, text) {
  const input = form.elements[name];
  const field = input && input.closest && input.closest(".field");
  if (!field) {
    return false;
  }
  input.classList.add("is-invalid");
  input.setAttribute("aria-invalid", "true");
  const message = document.createElement("p");
  message.className = "wrong";
  message.id = `${name}-wrong`;
  message.textContent = text;
  field.append(message);
  const described = (input.getAttribute("aria-describedby") || "").split(" ");
  input.setAttribute("aria-describedby", [...new Set([...described, message.id])].join(" ").trim());
  input.focus();
  return true;
}

function tell(form, kind, text) {
  const place = form.querySelector("[data-status]");
  place.className = text ? `notice ${kind}` : "";
  place.textContent = text;
}

// Another captcha in the place of one that has been answered, or the word that it was answered rightly.
function showCaptcha(form, captcha) {
  const place = form.querySelector("[data-captcha]");
  if (!place || !captcha) {
    return;
  }
  form.elements.captcha_handle.value = captcha.handle;
  place.querySelector(".solved").hidden = !captcha.solved;
  const unsolved = place.querySelector(".unsolved");
  if (!unsolved) {
    return;
  }
  unsolved.hidden = captcha.solved;
  form.elements.captcha.value = "";
  place.querySelector("img").src = captcha.picture;
  place.querySelector("audio").src = captcha.sound;
  place.querySelector(".sound a").href = captcha.sound;
}

document.querySelectorAll("button[data-new-captcha]").forEach((button) => {
  const place = button.closest("[data-captcha]");
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await fetch(place.dataset.another, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      showCaptcha(button.form, await answer.json());
      button.form.elements.captcha.focus();
    }
  });
});

async function sendCode(form, button) {
  form.querySelectorAll(".wrong").forEach((message) => message.remove());
  form.querySelectorAll(".is-invalid").forEach((input) => {
    input.classList.remove("is-invalid");
    input.removeAttribute("aria-invalid");
  });
  const body = new FormData(form);
  body.set("action", "send_code");
  for (const name of ["password", "confirm_password", "sms_code"]) {
    body.delete(name);
  }
  button.disabled = true;
  const response = await fetch(form.getAttribute("action"), {  // form.action would be the buttons of that name
    method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" },
  });
  const answer = await response.json();
  button.disabled = false;
  if (!answer.problems) {
    throw new Error("not an answer of this page");
  }
  showCaptcha(form, answer.captcha);
  const problems = Object.entries(answer.problems);
  const elsewhere = problems.filter(([name, text]) => !showProblem(form, name, text));
  if (problems.length) {
    tell(form, "danger", elsewhere.length ? elsewhere[0][1] : "");
    return;
  }
  tell(form, "success", button.dataset.sent);
  countDown(button, answer.wait);
  form.elements.sms_code.focus();
}

document.querySelectorAll("button[data-send-code]").forEach((button) => {
  if (Number(button.dataset.wait)) {
    countDown(button, Number(button.dataset.wait));
  }
  button.addEventListener("click", (event) => {
    event.preventDefault();
    sendCode(button.form, button).catch(() => {
      // Let the page itself do it, as without this script.
      button.disabled = false;
      button.form.noValidate = true;
      const action = document.createElement("input");
      action.type = "hidden";
      action.name = "action";
      action.value = "send_code";
      button.form.append(action);
      button.form.submit();
    });
  });
});

// Uploads show name, size and, for pictures, a preview.
document.querySelectorAll("input[type=file]").forEach((input) => {
  input.addEventListener("change", () => {
    const preview = input.closest(".field").querySelector("[data-chosen]");
    const file = input.files[0];
    preview.replaceChildren();
    preview.classList.toggle("shown", Boolean(file));
    if (!file) {
      return;
    }
    if (file.type.startsWith("image/")) {
      const reader = new FileReader();
      reader.addEventListener("load", () => {
        const picture = document.createElement("img");
        picture.src = reader.result;
        picture.alt = "";
        preview.prepend(picture);
      });
      reader.readAsDataURL(file);
    }
    const size = file.size > 1048576 ? `${(file.size / 1048576).toFixed(1)} MB` : `${Math.ceil(file.size / 1024)} KB`;
    const text = document.createElement("span");
    text.textContent = say(file.size > 5 * 1048576 ? texts.large : texts.chosen, { name: file.name, size });
    preview.append(text);
  });
});

// 永久期限 makes the end date superfluous.
const permanent = document.getElementById("permanent");
const validUntil = document.getElementById("valid_until");
if (permanent && validUntil) {
  const follow = () => { validUntil.disabled = permanent.checked; };
  permanent.addEventListener("change", follow);
  follow();
}

// Copying a secret or a configuration.
document.querySelectorAll("button[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = texts.copied;
  });
});

// Long work shows that it goes on, and isn't started twice.
document.querySelectorAll("form[data-busy]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && !button.hasAttribute("data-send-code") && !button.hasAttribute("data-new-captcha")) {
      setTimeout(() => { button.disabled = true; button.textContent = form.dataset.busy; }, 0);
    }
  });
});

// After a sign-out the browser goes on when the frames of the clients have loaded; a slow one holds nobody up.
const onward = document.querySelector("a[data-onward]");
if (onward) {
  const patience = setTimeout(() => window.location.replace(onward.href), 3000);
  window.addEventListener("load", () => {
    clearTimeout(patience);
    window.location.replace(onward.href);
  });
}

// The answer to a client by form_post goes on by itself.
document.querySelectorAll("form[data-submit]").forEach((form) => form.submit());

window.addEventListener("pageshow", (event) => { if (event.persisted) { window.location.reload(); } });
