// One sample, or two arms side by side on the same problem.

class Detail {
  constructor(store, filters, list, onFind) {
    this.store = store;
    this.filters = filters;
    this.list = list;
    this.onFind = onFind;
    this.element = document.getElementById("detail");
    this.id = null;
    const { cells } = store.data;
    this.arm = this.choice("beside-arm", "Compare with", "nothing", distinct(cells.map((cell) => cell.arm)));
    this.context = this.choice("beside-context", "in", "the same context", distinct(cells.map((cell) => cell.context)));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.list.element.focus();
    });
  }

  choice(name, label, none, values) {
    const select = make("select", { name, onchange: () => this.show(this.id) }, make("option", { value: "" }, none));
    for (const value of values) select.append(appendText(make("option", { value }), value));
    return { select, label: make("label", {}, label, select) };
  }

  show(id) {
    this.id = id;
    if (id === null) return this.element.replaceChildren(make("p", { class: "quiet" }, "Choose a sample."));
    const focused = document.activeElement;
    const arm = this.arm.select.value;
    const other = arm ? this.store.answerOf(id, arm, this.context.select.value) : null;
    const sides = make("div", { class: arm ? "sides two" : "sides" }, this.side(id));
    if (arm) sides.append(other === null ? this.noAnswer(arm) : this.side(other));
    this.context.select.disabled = !arm;
    this.element.replaceChildren(this.tools(), this.heading(id), sides, this.shared(id));
    // The selects are moved, not created again, so that they keep the keyboard focus.
    if (this.element.contains(focused)) focused.focus();
    this.element.scrollTop = 0;
  }

  tools() {
    const { cursor, ids } = this.list;
    const button = (name, step, isDisabled) =>
      make("button", { type: "button", disabled: isDisabled ? "" : null, onclick: () => this.step(step) }, name);
    return make("div", { class: "tools" },
      button("Previous", -1, cursor <= 0), button("Next", 1, cursor >= ids.length - 1),
      make("span", { class: "gap" }), this.arm.label, this.context.label);
  }

  step(step) {
    this.list.move(this.list.cursor + step);
    const buttons = this.element.querySelectorAll(".tools button");
    const same = buttons[step < 0 ? 0 : 1];
    (same.disabled ? this.element : same).focus();
  }

  heading(id) {
    const problem = this.store.problem(id);
    const facts = [
      problem.setting, problem.kind, problem.family && `family ${problem.family}`, problem.level && `level ${problem.level}`,
      `sample ${this.store.columns.index[id] + 1}`,
    ].filter(Boolean).join(" · ");
    const heading = make("p", { class: "problem" });
    heading.append(appendText(make("b", {}), problem.id), " ");
    appendText(heading, facts);
    const findAll = () => this.onFind(problem.id);
    heading.append(" ", make("button", { type: "button", onclick: findAll }, "All answers to it"));
    return heading;
  }

  noAnswer(arm) {
    const where = this.context.select.value ? ` in ${this.context.select.value}` : "";
    const text = `This page holds no other answer of ${arm}${where} to this problem.`;
    return make("div", { class: "side" }, appendText(make("p", { class: "empty" }), text));
  }

  side(id) {
    const { store } = this;
    const cell = store.cell(id);
    const outcome = store.outcome(id);
    const seed = cell.seed === null ? "" : `, seed ${cell.seed}`;
    const side = make("div", { class: "side" });
    side.append(appendText(make("h3", {}), cell.arm), appendText(make("p", { class: "why" }), `${cell.context}${seed}, ${describeTraining(cell)}`));
    side.append(make("p", { class: "outcome" }, make("i", { class: `sw ${outcome}` }), store.label(id), appendText(make("span", {}), ` ${this.checks(id)}`)));
    if (store.text("detail", id)) side.append(appendText(make("p", { class: "why" }), store.text("detail", id), this.filters.needle));
    side.append(this.tagList(id));
    side.append(make("h4", {}, "Answer"), this.block(store.completion(id) || "(empty)"));
    side.append(appendText(make("p", { class: "why" }), this.generationFacts(id)));
    side.append(this.collapsed("Prompt as sent", store.text("prompt", id)));
    return side;
  }

  checks(id) {
    const verdict = (passed) => (passed === null || passed === undefined ? "not known" : passed ? "passed" : "failed");
    const { oversight, intended } = this.store.columns;
    const others = this.store.text("others", id);
    const reward = this.store.columns.reward[id];
    const rewarded = this.store.cell(id).step === null ? "" : `; reward ${reward === null ? "none: it could not be scored" : reward}`;
    return `oversight ${verdict(oversight[id])}, intended ${verdict(intended[id])}${rewarded}${others && `; ${others}`}`;
  }

  tagList(id) {
    const list = make("ul", { class: "taglist", "aria-label": "Tags" });
    for (const [name, evidence, detail] of this.store.tags(id)) {
      const item = appendText(make("li", {}), name.replaceAll("_", " "));
      item.append(appendText(make("em", {}), ` ${evidence}${detail ? `: ${detail}` : ""}`));
      list.append(item);
    }
    return list.children.length ? list : "";
  }

  generationFacts(id) {
    const finish = this.store.text("finish", id);
    const [prompt, tokens] = this.store.columns.tokens[id];
    const [sampling, grading] = this.store.columns.seconds[id];
    const facts = [
      finish === "length" ? "cut off at the token limit" : finish === "stop" ? "ended by itself" : finish,
      tokens !== null && `answer of ${count(tokens)} tokens`, prompt !== null && `prompt of ${count(prompt)} tokens`,
      sampling !== null && `sampled in ${sampling.toFixed(2)} s`, grading !== null && `graded in ${grading.toFixed(3)} s`,
      this.store.text("containment", id) && `containment: ${this.store.text("containment", id)}`,
    ];
    return facts.filter(Boolean).join(" · ");
  }

  shared(id) {
    const problem = this.store.problem(id);
    const shared = make("div", { class: "shared" });
    const secret = problem.secret || {};
    const names = Object.keys(secret).sort((a, b) => sectionOrder(a) - sectionOrder(b));
    for (const name of names) {
      const value = valueText(secret[name]);
      if (value) shared.append(make("h4", {}, capitalize(name)), this.block(value));
    }
    const task = [problem.lead, problem.body].filter(Boolean).join(" ");
    shared.append(this.collapsed("The problem, without any prompt", task));
    shared.append(this.collapsed("An honest answer", problem.honest || ""), this.collapsed(`A hacked answer${problem.hack ? ` (${problem.hack.replaceAll("_", " ")})` : ""}`, problem.hacked || ""));
    return shared;
  }

  collapsed(name, text) {
    return text ? make("details", {}, make("summary", {}, name), this.block(text)) : "";
  }

  block(text) {
    // A block that scrolls by itself must be reachable by keyboard.
    const long = text.length > 1500 ? { tabindex: "0" } : {};
    return appendText(make("pre", { dir: "ltr", ...long }), text, this.filters.needle);
  }
}

// What only the graders see: the shown tests first, then the hidden ones, then the rest.
function sectionOrder(name) {
  return name.includes("shown") ? 0 : name.includes("hidden") ? 1 : 2;
}

function capitalize(name) {
  const words = name.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

function valueText(value) {
  if (value === null || value === undefined || value === "") return "";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join("\n");
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
