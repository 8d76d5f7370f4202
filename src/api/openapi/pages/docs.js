"use strict";
// Draws /openapi.json. Text is only ever set as text: nothing of the document can become markup.

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

// `code`, and nothing else of Markdown, within a line.
const words = (text) => text.split("`").map((part, n) => (n % 2 ? make("code", {}, part) : part));

// Paragraphs and tables.
const blocks = (text) => text.split(/\n\n+/).filter(Boolean).map((block) => {
  const rows = block.trim().split("\n");
  if (!rows[0].startsWith("|")) return make("p", {}, ...words(block.replaceAll("\n", " ")));
  const cells = (row) => row.split("|").slice(1, -1).map((cell) => cell.trim());
  const line = (row, name) => make("tr", {}, ...cells(row).map((cell) => make(name, {}, ...words(cell))));
  return make("table", {}, make("thead", {}, line(rows[0], "th")), make("tbody", {}, ...rows.slice(2).map((row) => line(row, "td"))));
});

const named = (reference) => reference.split("/").pop();

// A schema in a few words, with links to what has a name.
const form = (schema) => {
  if (!schema || schema === true) return ["anything"];
  if (schema.$ref) return [make("a", { href: `#schema-${named(schema.$ref)}` }, named(schema.$ref))];
  if (schema.const !== undefined) return [make("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return schema.enum.flatMap((value, n) => [n ? " | " : "", make("code", {}, JSON.stringify(value))]);
  const either = schema.anyOf || schema.oneOf;
  if (either) return either.flatMap((one, n) => [n ? " or " : "", ...form(one)]);
  if (schema.type === "array") return ["list of ", ...form(schema.items)];
  const types = [].concat(schema.type || "object").join(" or ");
  const limits = [
    ["minimum", "≥"], ["maximum", "≤"], ["minLength", "length ≥"], ["maxLength", "length ≤"], ["format", ""], ["pattern", ""],
  ].filter(([key]) => schema[key] !== undefined).map(([key, sign]) => `${sign} ${schema[key]}`.trim());
  return [limits.length ? `${types}, ${limits.join(", ")}` : types];
};

const members = (schema) => {
  const needed = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([name, member]) => make("tr", {},
    make("td", {}, make("code", {}, name), needed.has(name) ? "" : " (may be left out)"),
    make("td", {}, ...form(member)), make("td", {}, ...words(member.description || ""))));
  return make("table", {}, make("thead", {}, make("tr", {}, ...["member", "form", "what it is"].map((t) => make("th", {}, t)))),
    make("tbody", {}, ...rows));
};

const shown = (example) => make("pre", { tabindex: "0" }, make("code", {}, typeof example === "string" ? example : JSON.stringify(example, null, 2)));

const bodies = (content) => Object.entries(content || {}).flatMap(([kind, { schema, example }]) =>
  [make("p", { class: "who" }, make("code", {}, kind), " ", ...form(schema)), example === undefined ? null : shown(example)]);

const answer = ([status, { description, content }]) => {
  const problems = content && content["application/problem+json"];
  const told = { ...content };
  delete told["application/problem+json"];
  const line = [make("span", { class: "status" }, status), " ", ...words(description)];
  if (!Object.keys(told).length && !problems) return make("p", {}, ...line);
  const rows = problems ? Object.entries(problems.examples).map(([code, { value }]) =>
    make("tr", {}, make("td", {}, make("code", {}, code)), make("td", {}, ...words(value.detail)))) : [];
  return make("details", {}, make("summary", {}, ...line), ...bodies(told), rows.length ? make("table", {}, make("tbody", {}, ...rows)) : null);
};

const operation = (path, method, it) => {
  const parameters = (it.parameters || []).map((p) => make("tr", {}, make("td", {}, make("code", {}, p.name)), make("td", {}, p.in),
    make("td", {}, ...form(p.schema)), make("td", {}, ...words(p.description || ""))));
  const part = (title, ...children) => (children.length ? [make("h4", {}, title), ...children] : []);
  return make("article", { class: "operation", id: it.operationId },
    make("div", { class: "line" }, make("span", { class: `method ${method}` }, method), make("code", {}, path), make("h3", {}, it.summary)),
    make("p", { class: "who" }, `For: ${it["x-who"].join(", ")}`), ...blocks(it.description || ""),
    ...part("Parameters", ...(parameters.length ? [make("table", {}, make("tbody", {}, ...parameters))] : [])),
    ...part("Body", ...bodies(it.requestBody && it.requestBody.content)),
    ...part("Answers", ...Object.entries(it.responses).map(answer)));
};

const draw = (api) => {
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({ path, method: method.toUpperCase(), it }))).sort((a, b) => a.it["x-order"] - b.it["x-order"]);
  const index = document.getElementById("index");
  const operations = document.getElementById("operations");
  for (const { name, description } of api.tags) {
    const here = all.filter(({ it }) => it.tags.includes(name));
    if (!here.length) continue;
    index.append(make("h2", {}, name), ...here.map(({ it }) => make("a", { href: `#${it.operationId}` }, it.summary)));
    operations.append(make("h2", {}, name), make("p", {}, ...words(description)), ...here.map(({ path, method, it }) => operation(path, method, it)));
  }
  document.getElementById("lead").replaceChildren(`${api.info.summary}. Contract ${api.info.version}; the same for programs: `,
    make("a", { href: "/openapi.json" }, "/openapi.json"), ".");
  const [lead, problems] = api.info.description.split("\n\n| ");
  document.getElementById("introduction").append(...blocks(lead), make("details", {}, make("summary", {}, "All problem codes"), ...blocks(`| ${problems}`)));
  const schemas = document.getElementById("schemas");
  index.append(make("h2", {}, "Schemas"));
  schemas.append(make("h2", {}, "Schemas"));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    index.append(make("a", { href: `#schema-${name}` }, name));
    schemas.append(make("article", { class: "operation", id: `schema-${name}` }, make("h3", {}, name),
      ...blocks(schema.description || ""), schema.properties ? members(schema) : make("p", {}, ...form(schema))));
  }
  document.querySelector("main").setAttribute("aria-busy", "false");
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

fetch("/openapi.json").then((response) => response.json()).then(draw, () => {
  document.getElementById("lead").textContent = "The description cannot be loaded just now.";
});
