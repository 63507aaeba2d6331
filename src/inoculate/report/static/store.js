// The samples: unpacked once, kept in columns, looked up by index.

async function unpack() {
  const element = document.getElementById("packed");
  const packed = atob(element.textContent.trim());
  const bytes = new Uint8Array(packed.length);
  for (let place = 0; place < packed.length; place++) bytes[place] = packed.charCodeAt(place);
  element.remove();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Store(JSON.parse(await new Response(stream).text()));
}

class Store {
  constructor(data) {
    this.data = data;
    this.columns = data.samples;
    this.size = data.samples.cell.length;
    this.answers = new Map();
    for (let id = 0; id < this.size; id++) {
      const cell = this.cell(id);
      const key = this.key(cell.arm, cell.context, id);
      const known = this.answers.get(key);
      if (known) known.push(id);
      else this.answers.set(key, [id]);
    }
  }

  key(arm, context, id) {
    return JSON.stringify([arm, context, this.columns.problem[id], this.columns.index[id]]);
  }

  cell(id) { return this.data.cells[this.columns.cell[id]]; }
  problem(id) { return this.data.problems[this.columns.problem[id]]; }
  outcome(id) { return this.data.outcomes[this.columns.outcome[id]]; }
  // The label of an outcome: in the setting of a sample, or in several settings.
  label(id) { return this.labelIn(this.cell(id).setting, this.outcome(id)); }

  // Problems that are not counted with the others of their setting have cells of their own in the results.
  setting(id) {
    const { part } = this.problem(id);
    return part ? `${this.cell(id).setting} (${part})` : this.cell(id).setting;
  }

  labelIn(setting, outcome) { return (this.data.labels[setting] || {})[outcome] || outcome; }
  labelOf(outcome, cells = this.data.cells) {
    return distinct(cells.map((cell) => this.labelIn(cell.setting, outcome))).join(" / ");
  }

  completion(id) { return this.columns.completion[id]; }
  text(name, id) { return this.data.texts[this.columns[name][id]]; }
  tags(id) { return this.columns.tags[id].map((tag) => this.data.tags[tag]); }

  // The answer of another arm to the same problem, from the same seed and place in training if there is one.
  answerOf(id, arm, context) {
    const current = this.cell(id);
    const candidates = (this.answers.get(this.key(arm, context || current.context, id)) || []).filter((other) => other !== id);
    const similarity = (other) => {
      const cell = this.cell(other);
      return (cell.seed === current.seed ? 2 : 0) + (cell.at === current.at && cell.step === current.step ? 1 : 0) + (cell.at ?? 0) / 1000;
    };
    return candidates.reduce((best, other) => (best === null || similarity(other) > similarity(best) ? other : best), null);
  }

  // Tests whether a sample has the search text in its answer, evidence or problem. A problem is searched once.
  matches(needle) {
    const lowered = needle.toLowerCase();
    const has = (text) => String(text).toLowerCase().includes(lowered);
    const problems = this.data.problems.map((p) => has(p.id) || has(p.kind) || has(p.body));
    const texts = this.data.texts.map(has);
    return (id) => problems[this.columns.problem[id]] || texts[this.columns.detail[id]] || has(this.columns.completion[id]);
  }
}
