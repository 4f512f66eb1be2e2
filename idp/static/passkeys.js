// 通行密钥: forms marked data-passkey are shown where the browser can do it, and filled in by its own dialogue.
"use strict";

(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withIds = (list) => (list || []).map((item) => ({ ...item, id: bytes(item.id) }));

  function creation(options) {
    return {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    };
  }

  function assertion(options) {
    return { ...options, challenge: bytes(options.challenge), allowCredentials: withIds(options.allowCredentials) };
  }

  function asJson(credential) {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) {
        response[part] = text(credential.response[part]);
      }
    }
    const { id, type } = credential;
    return JSON.stringify({ id, rawId: text(credential.rawId), type, response, clientExtensionResults: {} });
  }

  async function fill(form) {
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value }),
      headers: { Accept: "application/json" },
    });
    if (!answer.ok || answer.redirected) {
      window.location.reload(); // the page has expired; the server says what is next
      return false;
    }
    const options = await answer.json();
    const credential = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: creation(options) })
      : await navigator.credentials.get({ publicKey: assertion(options) });
    form.elements.credential.value = asJson(credential);
    return true;
  }

  function tell(form, message) {
    const place = form.querySelector("[data-passkey-status]");
    place.className = message ? "notice danger" : "";
    place.textContent = message;
  }

  if (!window.PublicKeyCredential || !navigator.credentials) {
    return;
  }
  document.querySelectorAll("[data-passkey-without]").forEach((element) => { element.hidden = true; });
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      tell(form, "");
      try {
        if (await fill(form)) {
          form.submit();
        }
      } catch (error) {
        tell(form, error.name === "InvalidStateError" ? form.dataset.exists : form.dataset.failed);
        button.disabled = false;
      }
    });
  });
})();
