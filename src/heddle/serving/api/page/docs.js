"use strict";
// Everything shown is made from openapi.json, as text: nothing of it is taken for HTML.
const at = (id) => document.getElementById(id);
const HEADERS = { "content-type": "application/json" };
let api, row, target, least = 1, whole = false;

function made(tag, words, more = {}) {
  const node = document.createElement(tag);
  if (words !== undefined) node.textContent = words;
  for (const [name, value] of Object.entries(more)) node.setAttribute(name, value);
  return node;
}

const types = (told) => [].concat(told.type || "string");
const kind = (told) => types(told).find((one) => one !== "null");
const mayMiss = (told) => types(told).includes("null");
const few = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value));
const spaced = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });

function range(told) {
  if (told.enum) return told.enum.filter((word) => word !== null).join(", ");
  const words = [];
  if (told.minimum !== undefined) words.push("at least " + few(told.minimum));
  if (told.exclusiveMinimum !== undefined) words.push("above " + few(told.exclusiveMinimum));
  if (told.maximum !== undefined) words.push("at most " + few(told.maximum));
  return words.join(", ");
}

function control(name, told) {
  let input;
  if (told.enum || kind(told) === "boolean") {
    input = made("select");
    const words = told.enum ? told.enum.filter((word) => word !== null) : [true, false];
    if (mayMiss(told)) input.append(made("option", "(missing)", { value: "" }));
    for (const word of words) input.append(made("option", String(word), { value: String(word) }));
  } else {
    const number = kind(told) === "number" || kind(told) === "integer";
    input = made("input", undefined, { type: told.format === "date" ? "date" : "text" });
    if (number) input.inputMode = "decimal";
  }
  input.id = "x-" + name;
  input.setAttribute("aria-describedby", "h-" + name);
  return input;
}

function form() {
  const required = row.required || [];
  for (const [name, told] of Object.entries(row.properties)) {
    const box = made("div");
    const mark = mayMiss(told) || !required.includes(name) ? " (may be missing)" : "";
    box.append(made("label", name + mark, { for: "x-" + name }), control(name, told));
    const hint = [told.description, told.enum ? "" : range(told)].filter(Boolean).join(" Takes ");
    box.append(made("p", hint, { id: "h-" + name, class: "hint" }));
    at("fields").append(box);
  }
}

// As many rows as are needed: a day each, weekends left out, every number a little up and down.
function examples() {
  const rows = [];
  const day = new Date("2024-02-29T00:00:00Z");
  for (let turn = 0; turn < least; turn += 1) {
    const one = { ...row.example };
    for (const [name, told] of Object.entries(row.properties)) {
      if (least > 1 && told.format === "date") one[name] = day.toISOString().slice(0, 10);
      if (least > 1 && kind(told) === "number") one[name] *= 1 + 0.02 * Math.sin(turn);
    }
    rows.unshift(one);
    do day.setUTCDate(day.getUTCDate() - 1); while (day.getUTCDay() % 6 === 0);
  }
  return rows;
}

function example() {
  for (const [name, value] of Object.entries(row.example)) {
    at("x-" + name).value = value === null ? "" : String(value);
  }
  at("body").value = JSON.stringify({ instances: examples() }, null, least > 1 ? 1 : 2);
  forget();
}

function value(name, told) {
  const text = at("x-" + name).value.trim();
  if (text === "" && (mayMiss(told) || !(row.required || []).includes(name))) return null;
  if (kind(told) === "boolean") return text === "true";
  const number = kind(told) === "number" || kind(told) === "integer";
  return number && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function asked() {
  if (whole) return at("body").value;
  const one = {};
  for (const [name, told] of Object.entries(row.properties)) {
    const read = value(name, told);
    if (read !== null || mayMiss(told)) one[name] = read;
  }
  return JSON.stringify({ instances: [one] });
}

function forget() {
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function faults(told) {
  const box = made("div", undefined, { class: "fault" });
  box.append(made("p", told.error || "no answer"));
  const list = made("ul");
  for (const one of told.detail || []) {
    list.append(made("li", one.field + " " + one.reason));
    const found = /^instances\[0\]\.(.*)$/.exec(one.field);
    const input = found && at("x-" + found[1]);
    if (input && !whole) input.setAttribute("aria-invalid", "true");
  }
  box.append(list);
  const first = document.querySelector("[aria-invalid]");
  if (first) first.focus();
  return box;
}

function prediction(one) {
  const box = made("div");
  box.append(made("p", target, { class: "quiet" }), made("p", spaced(one.prediction), { class: "big" }));
  if (one.interval) {
    const { lower, upper, level } = one.interval;
    box.append(made("p", `${spaced(lower)} to ${spaced(upper)}, ${few(100 * level)} % interval`));
  }
  for (const flag of one.flags) box.append(made("span", flag, { class: "flag" }));
  box.append(made("p", "id " + one.id, { class: "quiet" }));
  return box;
}

async function ask(event) {
  event.preventDefault();
  forget();
  const body = asked();
  const place = new URL("api/v1/predict", document.baseURI).href;
  at("curl").textContent =
    `curl -X POST ${place} \\\n  -H 'content-type: application/json' \\\n` +
    (at("door").hidden ? "" : "  -H \"x-api-key: $KEY\" \\\n") + `  -d '${body.replaceAll("'", "'\\''")}'`;
  let told, shown;
  try {
    const start = performance.now();
    const answer = await fetch(place, { method: "POST", headers: headers(), body });
    told = await answer.json();
    const took = `${answer.status}, ${Math.round(performance.now() - start)} ms`;
    shown = answer.ok ? told.predictions.map(prediction) : [faults(told)];
    shown.push(made("p", took, { class: "quiet" }));
  } catch (fault) {
    told = { error: "the server cannot be reached" };
    shown = [faults(told)];
  }
  at("answer").replaceChildren(...shown);
  at("raw").textContent = JSON.stringify(told, null, 2);
}

function headers() {
  const key = at("key").value;
  return key ? { ...HEADERS, "x-api-key": key } : HEADERS;
}

function change() {
  if (!whole) at("body").value = JSON.stringify(JSON.parse(asked()), null, 2);
  whole = !whole;
  at("fields").hidden = whole;
  at("whole").hidden = !whole;
  at("switch").setAttribute("aria-pressed", String(whole));
}

function columns() {
  const head = made("tr");
  for (const word of ["Column", "Type", "Takes", "Meaning"]) head.append(made("th", word, { scope: "col" }));
  at("columns").append(head);
  for (const [name, told] of Object.entries(row.properties)) {
    const line = made("tr");
    line.append(made("th", name, { scope: "row" }));
    const type = (told.format || kind(told)) + (mayMiss(told) ? " or null" : "");
    for (const words of [type, range(told), told.description || ""]) line.append(made("td", words));
    at("columns").append(line);
  }
}

function paths() {
  for (const [path, told] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(told)) {
      const box = made("details");
      const head = made("summary");
      head.append(made("span", method.toUpperCase(), { class: "method" }), made("code", path));
      box.append(head, made("p", operation.description || operation.summary));
      const list = made("ul");
      for (const [status, answer] of Object.entries(operation.responses)) {
        const name = (answer.$ref || "").split("/").pop();
        const said = name ? api.components.responses[name] : answer;
        list.append(made("li", `${status}  ${said.description}`));
      }
      box.append(list);
      at("paths").append(box);
    }
  }
}

async function start() {
  const told = await fetch("openapi.json");
  api = await told.json();
  if (!told.ok) throw new Error(api.error);
  document.title = at("name").textContent = api.info.title;
  at("door").hidden = !(api.components && api.components.securitySchemes);
  paths();
  const model = await (await fetch("api/v1/model/info")).json();
  row = api.components.schemas.Row;
  if (!row) {
    at("model").textContent = "No model is loaded yet: come again.";
    at("form").hidden = true;
    return;
  }
  target = model.target || "prediction";
  const figure = model.metrics && model.metrics[model.metric];
  at("model").textContent =
    `${model.model_version}, ${model.best_model}, from the ${model.source}` +
    (figure === undefined ? "" : `, ${model.metric} ${few(figure)} on its test rows`) +
    `; digest ${String(model.model_digest).slice(0, 12)}`;
  const many = api.components.schemas.Request.properties.instances;
  at("lead").textContent = `1 to ${spaced(many.maxItems)} rows a request. ${many.description || ""}`;
  least = many.minItems;
  form();
  columns();
  example();
  if (least > 1) {
    at("lead").textContent = many.description;
    whole = true;
    at("fields").hidden = true;
    at("whole").hidden = false;
    at("switch").hidden = true;
  }
  at("form").addEventListener("submit", ask);
  at("reset").addEventListener("click", example);
  at("switch").addEventListener("click", change);
}

start().catch((fault) => { at("model").textContent = "The description cannot be read: " + fault.message; });
