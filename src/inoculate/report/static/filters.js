// The filters: a select for everything that has more than one value, and a search.

const BASE = "base";

function filterFields(store) {
  const { cells, problems, tags, outcomes } = store.data;
  const trainingShares = new Set(cells.filter((cell) => cell.arm !== BASE && cell.at !== null).map((cell) => cell.at));
  const byCell = (name, read) => ({
    name, values: distinct(cells.map(read)),
    test: (value) => {
      const matching = cells.map((cell) => read(cell) === value);
      return (id) => matching[store.columns.cell[id]];
    },
  });
  const fields = [
    byCell("arm", (cell) => cell.arm),
    byCell("context", (cell) => cell.context),
    {
      name: "setting", values: distinct(Array.from(store.columns.cell, (_, id) => store.setting(id))),
      test: (value) => (id) => store.setting(id) === value,
    },
    byCell("seed", (cell) => seedName(cell.seed)),
    {
      name: "outcome", values: outcomes, format: (value) => store.labelOf(value),
      test: (value) => (id) => store.outcome(id) === value,
    },
    {
      name: "tag", values: distinct(tags.map((tag) => tag[0])).sort(),
      test: (value) => {
        const matching = tags.map((tag) => tag[0] === value);
        return (id) => store.columns.tags[id].some((tag) => matching[tag]);
      },
    },
    {
      name: "kind", values: distinct(problems.map((problem) => problem.kind || "")).sort(),
      test: (value) => {
        const matching = problems.map((problem) => (problem.kind || "") === value);
        return (id) => matching[store.columns.problem[id]];
      },
    },
  ];
  const steps = distinct(cells.map((cell) => cell.step).filter((step) => step !== null));
  if (steps.length) {
    const step = { ...byCell("step", (cell) => stepName(cell.step)), label: "step of RL" };
    fields.push({ ...step, values: steps.sort((a, b) => a - b).map(stepName) });
  }
  // The base arm is always at 0: the share of training is a filter only if other arms have several.
  if (trainingShares.size > 1) {
    const at = byCell("at", (cell) => (cell.at === null ? "" : String(cell.at)));
    fields.push({ ...at, values: at.values.filter(Boolean), label: "trained", format: (value) => percentOf(Number(value)) });
  }
  return fields.filter((field) => field.values.length > 1 || ["tag", "step"].includes(field.name) && field.values.length);
}

function distinct(values) {
  return [...new Set(values)];
}

class Filters {
  constructor(store, onChange) {
    this.store = store;
    this.fields = filterFields(store);
    this.form = document.getElementById("filters");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.selects = new Map(this.fields.map((field) => [field.name, this.select(field, onChange)]));
    let timer = 0;
    this.find = make("input", {
      type: "search", name: "find", placeholder: "in answers, evidence, problems", autocomplete: "off",
      oninput: () => { clearTimeout(timer); timer = setTimeout(onChange, 150); },
    });
    this.form.append(make("label", { class: "find" }, "search", this.find));
    this.form.append(make("button", { type: "button", id: "clear", onclick: () => { this.set({}); onChange(); } }, "Clear"));
  }

  select(field, onChange) {
    const select = make("select", { name: field.name, onchange: onChange }, make("option", { value: "" }, "all"));
    for (const value of field.values) {
      select.append(appendText(make("option", { value }), field.format ? field.format(value) : value || "none"));
    }
    this.form.append(make("label", {}, field.label || field.name, select));
    return select;
  }

  get needle() { return this.find.value.trim(); }

  set(values) {
    for (const [name, select] of this.selects) {
      const value = values[name] ?? "";
      const known = [...select.options].some((option) => option.value === value);
      select.value = known ? value : "";
    }
    this.find.value = values.find ?? "";
  }

  matchingIds() {
    const tests = [];
    for (const field of this.fields) {
      const select = this.selects.get(field.name);
      select.classList.toggle("set", select.value !== "");
      if (select.value !== "") tests.push(field.test(select.value));
    }
    if (this.needle) tests.push(this.store.matches(this.needle));
    document.getElementById("clear").disabled = tests.length === 0;
    const ids = [];
    for (let id = 0; id < this.store.size; id++) {
      if (tests.every((test) => test(id))) ids.push(id);
    }
    return ids;
  }
}
