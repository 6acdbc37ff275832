// The live page: rows come finished from the hub, as Server-Sent Events, and stand on top. After console.js.
const KEPT = 200, AGAIN_MS = 2000, REFUSED_MS = 5000, ALOUD_MS = 5000, WINDOW_S = 10;
const view = $("[data-live]"), rows = $("#rows"), state = $("#state"), pause = $("[data-pause]");
let paused = false, source = null, retry = 0, warning = 0, last = "", stopped = null;
let waiting = [], unseen = 0, dropped = 0, shown = 0, saidAt = -ALOUD_MS, seconds = [];

document.querySelectorAll("[data-scripted]").forEach((part) => { part.hidden = false; });
document.querySelectorAll("[data-unscripted]").forEach((part) => { part.hidden = true; });

const tell = (text) => { state.textContent = text; state.className = text ? "note warn" : ""; };
const made = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
};
const isThere = (row) => row.dataset.id && rows.querySelector(`[data-id="${row.dataset.id}"]`);

// rows stand still while somebody reads one, or nobody can
const isHeld = () => {
  const selected = getSelection();
  return paused || document.hidden || rows.contains(document.activeElement) || (!selected.isCollapsed && rows.contains(selected.anchorNode));
};
const show = () => {
  if (!isHeld()) {
    waiting.filter((row) => !isThere(row)).forEach((row) => rows.prepend(row));
    while (rows.rows.length > KEPT) rows.lastElementChild.remove();
    waiting = [];
    unseen = 0;
  }
  $("span", pause).textContent = paused ? `Resume, ${unseen} new` : "Pause";
  $("[data-waiting]").textContent = !paused && unseen ? `, ${unseen} waiting until the row is left` : "";
};
const arrive = (row) => {
  row.classList.add("new");
  waiting = [...waiting, row].slice(-KEPT);
  unseen += 1;
  show();
};
const setPaused = (value) => {
  paused = value;
  pause.setAttribute("aria-pressed", String(paused));
  view.classList.toggle("paused", paused);
  show();
};

// what the page does not have of the last messages: those between its making and the stream, or of a gap
const fill = async () => {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.redirected) location.reload();
  if (!answer?.ok || isHeld()) return;
  const there = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("#rows tr");
  for (const row of there) {
    if (isThere(row)) continue;
    row.classList.add("new");
    const older = [...rows.rows].find((each) => each.dataset.id && each.dataset.id < row.dataset.id);
    rows.insertBefore(document.adoptNode(row), older ?? null);
  }
};

// errors, for those who do not see them: one at most in a while
const aloud = (row) => {
  const now = performance.now();
  if (!$("[data-aloud]").checked || !("failed" in row.dataset) || now - saidAt < ALOUD_MS) return;
  saidAt = now;
  $("[data-say]").textContent = row.textContent.replace(/\s+/g, " ").trim();
};

// the truth about what is shown
const count = (came, left) => { seconds[0] ??= [0, 0]; seconds[0][0] += came; seconds[0][1] += left; shown += came; dropped += left; };
const second = () => {
  const [came, left] = seconds.reduce((sum, each) => each ? [sum[0] + each[0], sum[1] + each[1]] : sum, [0, 0]);
  $("[data-rate]").textContent = ((came + left) / WINDOW_S).toFixed(1);
  $("[data-share]").textContent = left ? `1 in ${((came + left) / Math.max(came, 1)).toFixed(1)}` : "all";
  $("[data-dropped]").textContent = dropped.toLocaleString("en");
  seconds = [[0, 0], ...seconds].slice(0, WINDOW_S);
};

const close = () => { source?.close(); source = null; clearTimeout(retry); };
const lost = () => {
  close();
  if (!stopped) {
    stopped = new Date();
    warning = setTimeout(() => {
      tell(state.dataset.stopped.replace("{}", stopped.toISOString().slice(11, 19)));
      view.classList.add("paused");
    }, 1000);
    retry = setTimeout(connect, 100);
  } else {
    retry = setTimeout(connect, AGAIN_MS);
  }
};
const opened = () => {
  clearTimeout(warning);
  stopped = null;
  tell("");
  view.classList.toggle("paused", paused);
  if (!last) setTimeout(fill, 600);
};
function connect() {
  close();
  if (document.hidden) return;
  source = new EventSource(view.dataset.stream + (last && `&after=${last}`));
  source.onopen = opened;
  source.onerror = lost;
  source.onmessage = (event) => {
    const row = made(event.data);
    last = event.lastEventId;
    count(1, 0);
    aloud(row);
    arrive(row);
  };
  source.addEventListener("dropped", (event) => count(0, JSON.parse(event.data).count));
  source.addEventListener("gap", (event) => { arrive(made(event.data)); setTimeout(fill, 600); });
  source.addEventListener("reach", (event) => tell(JSON.parse(event.data).everywhere ? "" : state.dataset.alone));
  source.addEventListener("refused", (event) => {
    close();
    tell(event.data);
    stopped ??= new Date();
    retry = setTimeout(connect, REFUSED_MS);
  });
  source.addEventListener("over", () => location.reload());
}

pause.addEventListener("click", () => setPaused(!paused));
$("[data-clear]").addEventListener("click", () => rows.replaceChildren());
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "p" && performance.now() - pressed > 1000) setPaused(!paused);
});
document.addEventListener("selectionchange", show);
rows.addEventListener("focusout", () => setTimeout(show));
document.addEventListener("visibilitychange", connect);
setInterval(second, 1000);
connect();
