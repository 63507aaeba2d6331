// The list: only visible rows are in the document, whatever the number of samples.

const ROW_HEIGHT = 56;
const EXTRA_ROWS = 6;

class List {
  constructor(store, chosen, opened) {
    this.store = store;
    this.chosen = chosen;
    this.opened = opened;
    this.ids = [];
    this.cursor = -1;
    this.box = document.getElementById("list");
    this.runway = document.getElementById("runway");
    let drawScheduled = false;
    this.box.addEventListener("scroll", () => {
      if (drawScheduled) return;
      drawScheduled = true;
      requestAnimationFrame(() => { drawScheduled = false; this.draw(); });
    }, { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.box);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.runway.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.move(Number(row.dataset.place));
    });
  }

  show(ids, keep) {
    this.ids = ids;
    this.runway.style.height = `${ids.length * ROW_HEIGHT}px`;
    const place = keep === null ? -1 : ids.indexOf(keep);
    this.cursor = ids.length ? Math.max(0, place) : -1;
    this.box.scrollTop = Math.max(0, this.cursor * ROW_HEIGHT - this.box.clientHeight / 2);
    this.draw();
    this.chosen(this.cursor < 0 ? null : ids[this.cursor]);
  }

  move(place) {
    if (!this.ids.length) return;
    this.cursor = Math.min(this.ids.length - 1, Math.max(0, place));
    const top = this.cursor * ROW_HEIGHT;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + ROW_HEIGHT > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW_HEIGHT - this.box.clientHeight;
    this.draw();
    this.chosen(this.ids[this.cursor]);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW_HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      event.preventDefault();
      this.move(this.cursor + steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.opened();
    }
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_HEIGHT) - EXTRA_ROWS);
    const last = Math.min(this.ids.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW_HEIGHT) + EXTRA_ROWS);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    if (!this.ids.length) rows.push(make("p", { class: "none-found" }, "No sample fits these filters."));
    this.runway.replaceChildren(...rows);
    const isVisible = this.cursor >= first && this.cursor < last;
    if (isVisible) this.box.setAttribute("aria-activedescendant", `row-${this.cursor}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(place) {
    const id = this.ids[place];
    const cell = this.store.cell(id);
    const outcome = this.store.outcome(id);
    const seed = cell.seed === null ? "" : `, seed ${cell.seed}`;
    const head = make("b", {}, `${this.store.label(id)} `);
    head.append(appendText(make("em", {}), `${cell.arm}, ${cell.context}${seed}`));
    const line = appendText(make("span", {}), firstLine(this.store.completion(id)));
    return make("div", {
      class: `row ${outcome}`, role: "option", id: `row-${place}`, "data-place": place,
      style: `top:${place * ROW_HEIGHT}px`, "aria-selected": String(place === this.cursor),
      "aria-setsize": this.ids.length, "aria-posinset": place + 1,
    }, head, line);
  }
}

// The first line with content: not the fence of a code block.
function firstLine(completion) {
  const lines = completion.slice(0, 600).split("\n");
  const line = lines.find((text) => text.trim() && !text.trim().startsWith("```")) || completion.slice(0, 80);
  return line.trim().slice(0, 120) || "(empty)";
}
