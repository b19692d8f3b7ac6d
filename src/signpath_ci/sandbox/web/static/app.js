// What the pages do live: follow a request, show an upload's progress, copy commands. Everything works without it.
"use strict";

const PERIOD = 1500; // milliseconds between two looks at what changes

function setUp(root) {
  for (const select of root.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
    const button = select.form.querySelector("button");
    if (button) button.hidden = true;
  }
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
}

// Live parts: the page is fetched again, and its part replaced where it has changed, unless somebody is typing there.
function isInUse(part) {
  const typed = [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  return typed || (part.contains(document.activeElement) && document.activeElement.matches("textarea, input, button, a"));
}

async function follow() {
  const part = document.getElementById("live");
  if (!part || !part.dataset.live) return;
  if (document.visibilityState === "visible" && !isInUse(part)) {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        if (fresh && fresh.dataset.version !== part.dataset.version && !isInUse(part)) {
          part.replaceWith(fresh);
          setUp(fresh);
          for (const selector of [".side ul", ".card.wait[aria-labelledby=waiting-heading]"]) {
            const before = document.querySelector(selector), after = page.querySelector(selector);
            if (before && after) before.replaceWith(after);
          }
        }
      }
    } catch { /* The sandbox is not there at the moment: try again. */ }
  }
  setTimeout(follow, PERIOD);
}

function readable(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

function upload(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const call = new XMLHttpRequest(), area = form.querySelector(".progress"), text = form.querySelector("#progress-text");
    const bar = form.querySelector("progress"), buttons = form.querySelectorAll("button");
    const fail = (sentence) => { text.textContent = sentence; buttons.forEach((button) => { button.disabled = false; }); };
    area.hidden = false;
    buttons.forEach((button) => { button.disabled = true; });
    let announced = -1;
    call.upload.addEventListener("progress", (at) => {
      if (!at.lengthComputable) return;
      const percent = Math.floor(100 * at.loaded / at.total);
      bar.value = percent;
      if (percent >= announced + 5 || percent === 100) { // not every byte is worth a screen reader's word
        announced = percent;
        text.textContent = percent === 100 ? "Uploaded. The sandbox is checking the request." : `${readable(at.loaded)} of ${readable(at.total)} (${percent} %)`;
      }
    });
    call.addEventListener("load", () => {
      if (call.status === 200 && call.responseURL !== form.action) { location.assign(call.responseURL); return; }
      const page = new DOMParser().parseFromString(call.responseText, "text/html").getElementById("main");
      if (!page) { fail(`The sandbox answered ${call.status}.`); return; }
      document.getElementById("main").replaceWith(page);
      start(page);
      (page.querySelector("#errors") || page).focus();
    });
    call.addEventListener("error", () => fail("The upload broke off. Is the sandbox still running? Try again."));
    call.open("POST", form.action);
    call.send(new FormData(form));
  });
}

// The editor's line numbers.
function number(editor) {
  const area = editor.querySelector("textarea"), numbers = editor.querySelector(".numbers");
  const marked = new Set((editor.dataset.errors || "").split(",").filter(Boolean));
  const draw = () => {
    const count = area.value.split("\n").length;
    numbers.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const line = document.createElement(marked.has(String(index + 1)) ? "b" : "span");
      line.textContent = `${index + 1}\n`;
      return line;
    }));
    numbers.scrollTop = area.scrollTop;
  };
  const go = (line) => {
    const lines = area.value.split("\n");
    if (!(line >= 1 && line <= lines.length)) return;
    const at = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    area.focus();
    area.setSelectionRange(at, at + lines[line - 1].length);
    area.scrollTop = (line - 4) * parseFloat(getComputedStyle(area).lineHeight);
  };
  const goToHash = () => { const found = /^#L(\d+)$/.exec(location.hash); if (found) go(Number(found[1])); };
  area.addEventListener("input", draw);
  area.addEventListener("scroll", () => { numbers.scrollTop = area.scrollTop; });
  addEventListener("hashchange", goToHash);
  document.addEventListener("click", (event) => { if (event.target.matches("a[href^='#L']")) setTimeout(goToHash); });
  draw();
  goToHash();
}

function start(root) {
  setUp(root);
  const form = root.querySelector("#upload");
  if (form) upload(form);
  const editor = root.querySelector(".editor");
  if (editor) number(editor);
}

addEventListener("keydown", (event) => { // Ctrl+Enter submits, as on SignPath's pages
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) event.target.form.requestSubmit();
});
start(document);
follow();
