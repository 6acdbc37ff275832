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
const pages = { e: "/events", a: "/audit" };
let pressed = 0;
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "?") location.href = "/help";
  else if (event.key === "g") pressed = event.timeStamp;
  else if (event.timeStamp - pressed < 1000 && pages[event.key]) location.href = pages[event.key];
});
