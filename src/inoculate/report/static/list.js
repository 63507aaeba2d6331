// The list: only visible rows are in the document, whatever the number of samples.

const ROW_HEIGHT = 56;
const EXTRA_ROWS = 6;

class List {
  constructor(store, onChoose, onOpen) {
    this.store = store;
    this.onChoose = onChoose;
    this.onOpen = onOpen;
    this.ids = [];
    this.cursor = -1;
    this.element = document.getElementById("list");
    this.runway = document.getElementById("runway");
    let drawScheduled = false;
    this.element.addEventListener("scroll", () => {
      if (drawScheduled) return;
      drawScheduled = true;
      requestAnimationFrame(() => { drawScheduled = false; this.draw(); });
    }, { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.runway.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.move(Number(row.dataset.place));
    });
  }

  show(ids, selected) {
    this.ids = ids;
    this.runway.style.height = `${ids.length * ROW_HEIGHT}px`;
    const place = selected === null ? -1 : ids.indexOf(selected);
    this.cursor = ids.length ? Math.max(0, place) : -1;
    this.element.scrollTop = Math.max(0, this.cursor * ROW_HEIGHT - this.element.clientHeight / 2);
    this.draw();
    this.onChoose(this.cursor < 0 ? null : ids[this.cursor]);
  }

  move(place) {
    if (!this.ids.length) return;
    this.cursor = Math.min(this.ids.length - 1, Math.max(0, place));
    const top = this.cursor * ROW_HEIGHT;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    if (top + ROW_HEIGHT > this.element.scrollTop + this.element.clientHeight) this.element.scrollTop = top + ROW_HEIGHT - this.element.clientHeight;
    this.draw();
    this.onChoose(this.ids[this.cursor]);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      event.preventDefault();
      this.move(this.cursor + steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.onOpen();
    }
  }

  draw() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_HEIGHT) - EXTRA_ROWS);
    const last = Math.min(this.ids.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / ROW_HEIGHT) + EXTRA_ROWS);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    if (!this.ids.length) rows.push(make("p", { class: "none-found" }, "No sample fits these filters."));
    this.runway.replaceChildren(...rows);
    const isVisible = this.cursor >= first && this.cursor < last;
    if (isVisible) this.element.setAttribute("aria-activedescendant", `row-${this.cursor}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  row(place) {
    const id = this.ids[place];
    const cell = this.store.cell(id);
    const outcome = this.store.outcome(id);
    const seed = cell.seed === null ? "" : `, seed ${cell.seed}`;
    const head = make("b", {}, `${this.store.label(id)} `);
    head.append(appendText(make("em", {}), `${cell.arm}, ${cell.context}${seed}${cell.step === null ? "" : `, step ${cell.step}`}`));
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
