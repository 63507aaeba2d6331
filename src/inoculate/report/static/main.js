// Start: unpack the samples, connect the parts, follow links that choose samples.

function showCounts(store, ids) {
  const counts = new Map(store.data.outcomes.map((name) => [name, 0]));
  for (const id of ids) counts.set(store.outcome(id), counts.get(store.outcome(id)) + 1);
  const cells = distinct(ids.map((id) => store.cell(id)));
  const labels = [...counts].filter(([, number]) => number).map(([name, number]) => `${count(number)} ${store.labelOf(name, cells)}`);
  const total = ids.length === store.size ? `${count(store.size)} samples` : `${count(ids.length)} of ${count(store.size)} samples`;
  document.getElementById("count").textContent = labels.length ? `${total}: ${labels.join(", ")}` : total;
  const parts = [...counts].filter(([, number]) => number);
  document.getElementById("spread").replaceChildren(
    ...parts.map(([name, number]) => make("i", { class: name, style: `flex:${number} 0 2px` })));
}

function followLink(filters, onChange) {
  const [target, query] = location.hash.slice(1).split("?");
  if (target !== "samples" || !query) return;
  filters.set(Object.fromEntries(new URLSearchParams(query)));
  onChange();
  document.getElementById("samples").scrollIntoView();
}

async function start() {
  const reader = document.getElementById("reader");
  if (!reader) return;
  const problem = document.getElementById("reader-problem");
  problem.textContent = "Unpacking the samples.";
  try {
    const store = await unpack();
    reader.hidden = false;
    let detail = null;
    const list = new List(store, (id) => detail.show(id), () => document.getElementById("detail").focus());
    const onChange = () => {
      const ids = filters.matchingIds();
      showCounts(store, ids);
      list.show(ids, detail.id);
    };
    const filters = new Filters(store, onChange);
    const find = (text) => { filters.set({ find: text }); onChange(); };
    detail = new Detail(store, filters, list, find);
    onChange();
    problem.remove();
    window.addEventListener("hashchange", () => followLink(filters, onChange));
    // A second click on the same link, after the filters were changed: the address is the same, so there is no hashchange event.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#samples?']");
      if (link && link.hash === location.hash) followLink(filters, onChange);
    });
    followLink(filters, onChange);
    document.documentElement.dataset.samples = "ready";
  } catch (error) {
    reader.hidden = true;
    problem.textContent = `The samples cannot be shown in this browser (${error.message}). A current Firefox, Chrome or Safari can.`;
  }
}

// Details cannot be opened on paper, so they are opened for printing.
let collapsed = [];
window.addEventListener("beforeprint", () => {
  collapsed = [...document.querySelectorAll("main details:not([open])")].filter((part) => !part.closest("#reader"));
  for (const part of collapsed) part.open = true;
});
window.addEventListener("afterprint", () => { for (const part of collapsed) part.open = false; });

start();
