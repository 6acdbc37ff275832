// Everything here is a comfort; every page works without it.
const $ = (selector, from = document) => from.querySelector(selector);
const keep = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };

// light and dark: the server draws the next page in the one chosen
const root = document.documentElement;
$("[data-theme-switch]")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("theme", root.dataset.theme);
});

// UTC, or the reader's own zone: the server formats the times
$("[data-zone]")?.addEventListener("click", (event) => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  keep("zone", event.currentTarget.textContent === "UTC" ? own : "UTC");
  location.reload();
});

// "g" and a letter goes to a page
const pages = {
  o: "/", m: "/messages", l: "/live", n: "/network", p: "/partners", r: "/agreements", e: "/events", a: "/audit", s: "/settings",
};
let pressed = -Infinity;
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); $("#q")?.select(); }
  else if (event.key === "[" || event.key === "]") $(event.key === "]" ? "a[rel=next]" : "a[rel=first]")?.click();
  else if (event.key === "c") $("[data-copy=page]")?.click();
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "?") location.href = "/help";
  else if (event.key === "g") pressed = event.timeStamp;
  else if (event.timeStamp - pressed < 1000 && pages[event.key]) location.href = pages[event.key];
});

// rows by keyboard
function step(by) {
  const links = [...document.querySelectorAll("tbody th[scope=row] a")];
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
}

// copy this page's link, or the text of the element that is named
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const what = button.dataset.copy;
  await navigator.clipboard?.writeText(what === "page" ? location.href : $(what).textContent).catch(() => {});
  button.classList.add("ok");
  setTimeout(() => button.classList.remove("ok"), 1500);
});

// Escape leaves a question as it was
document.addEventListener("keydown", (event) => {
  const asked = $("[data-cancel]");
  if (event.key === "Escape" && asked) location.href = asked.dataset.cancel;
});

// parts marked with seconds fetch themselves again while somebody looks; title, banners and counts go with them
const live = $("[data-refresh]");
const parts = (from) => [...from.querySelectorAll("[data-refresh]")].map((part) => part.id).join();
const renew = (now, then) => {
  if (!then) return;
  const opened = now.querySelectorAll("details");
  then.querySelectorAll("details").forEach((each, at) => { each.open ||= opened[at]?.open ?? false; });
  const held = now.contains(document.activeElement) ? document.activeElement : null;
  const at = [...now.querySelectorAll("summary")].indexOf(held);
  if (then.isEqualNode(now) || (held && at < 0)) return;
  now.replaceWith(document.adoptNode(then));
  if (held) then.querySelectorAll("summary")[at]?.focus();
};
const again = async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  showCopying(fresh);
  document.title = fresh.title;
  const entries = fresh.querySelectorAll("#nav li");
  document.querySelectorAll("#nav li").forEach((entry, at) => renew(entry, entries[at]));
  if (parts(document) !== parts(fresh)) renew($("#main"), $("#main", fresh));
  else for (const now of document.querySelectorAll("[data-refresh], #banners")) renew(now, fresh.getElementById(now.id));
};
if (live) setInterval(() => $("[data-refresh]") && again(), live.dataset.refresh * 1000);

// what is shown once is not asked for again by a reload
const shownOnce = $("[data-address]");
if (shownOnce) history.replaceState(null, "", shownOnce.dataset.address);

// buttons that need a script are hidden without one
function showCopying(page) {
  page.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = !navigator.clipboard; });
}
showCopying(document);
