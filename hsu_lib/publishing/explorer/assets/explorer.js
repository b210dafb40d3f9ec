// The explorer: runs side by side, from a folder alone. What it shows comes as scripts that call hsuData, written by
// hsu_lib/publishing/explorer. Its state is its address: #scene=samson&method=undip&other=vca-fclsu&pixel=12,40
(() => {
  "use strict";
  const root = document.querySelector(".hsu-explorer");
  if (!root) return;
  const $ = (name) => root.querySelector(`[data-part="${name}"]`);
  const controls = root.querySelector("form");

  const ATTRIBUTE = /^(style|role|aria-)/; // all else are properties
  function filled(element, fields, children, isAttribute) {
    for (const [name, value] of Object.entries(fields))
      if (isAttribute(name)) element.setAttribute(name, value);
      else element[name] = value;
    element.append(...children);
    return element;
  }
  function make(kind, fields = {}, ...children) { // kind: TAG.CLASS
    const [tag, ...classes] = kind.split(".");
    const element = filled(document.createElement(tag), fields, children, (name) => ATTRIBUTE.test(name));
    if (classes.length) element.classList.add(...classes);
    return element;
  }
  const svg = (tag, attributes, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children, () => true);
  const swatch = (colour) => make("i", { style: `background:${colour}`, "aria-hidden": true });
  function choice(title, name, values, value) {
    const select = make("select", { name }, ...values.map(([text, key]) => new Option(text, key)));
    select.value = value;
    return make("label", {}, `${title} `, select);
  }

  // ---------------------------------------------------------------- data: a script for each packet, loaded once

  const arriving = new Map(), loaded = new Map();
  window.hsuData = (name, part, parts, text) => arriving.get(name)?.(part, parts, text);
  const script = (src) => new Promise((onload, fail) =>
    document.head.append(make("script", { src, onload, onerror: () => fail(new Error(`${src} cannot be loaded`)) })));
  const load = (name) => loaded.get(name) ?? loaded.set(name, fetched(name)).get(name);
  async function fetched(name) {
    const pieces = [];
    let parts = 1;
    arriving.set(name, (part, all, text) => { pieces[part] = text; parts = all; });
    for (let part = 0; part < parts; part++)
      await script(`${root.dataset.from}${name}${part ? `.${part}` : ""}.js`);
    const bytes = Uint8Array.from(atob(pieces.join("")), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const content = await new Response(stream).arrayBuffer();
    const end = 4 + new DataView(content).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, end - 4)));
    for (const [key, { bytes: size, shape, ends, at }] of Object.entries(header.arrays)) {
      const kind = size === 1 ? Uint8Array : Uint16Array;
      header.arrays[key] = new Steps(new kind(content, end + at, shape.reduce((a, b) => a * b, 1)), shape, ends);
    }
    return header;
  }

  // Numbers in steps between two ends; the highest step is "not a number".
  class Steps {
    constructor(data, shape, [low, high]) {
      Object.assign(this, { data, shape, low, top: data.BYTES_PER_ELEMENT === 1 ? 255 : 65535 });
      this.step = (high - low) / (this.top - 1);
    }
    at(place) {
      return this.data[place] === this.top ? NaN : this.low + this.data[place] * this.step;
    }
    get values() {
      return (this.all ??= Float32Array.from(this.data, (_, place) => this.at(place)));
    }
    map(k) { // of abundances (endmembers, height, width)
      const size = this.data.length / this.shape[0];
      return this.values.subarray(k * size, (k + 1) * size);
    }
    spectrum(k) { // of endmembers (bands, endmembers)
      return this.values.filter((_, place) => place % this.shape[1] === k);
    }
  }

  // ---------------------------------------------------------------- numbers

  const percent = (x, digits = 1) => (Number.isFinite(x) ? `${(100 * x).toFixed(digits).replace("-", "−")} %` : "–");
  const share = (values, holds) => mean(values.map((x) => (Number.isFinite(x) ? Number(holds(x)) : NaN)));
  function mean(values) {
    const known = values.filter(Number.isFinite);
    return known.reduce((sum, x) => sum + x, 0) / known.length; // not a number where none is known
  }
  const rms = (values) => Math.sqrt(mean(values.map((x) => x * x)));
  const minus = (a, b) => a.map((x, k) => x - b[k]);
  const largest = (values) => values.reduce((most, x) => (Math.abs(x) > most ? Math.abs(x) : most), 0);
  function quantile(values, part) {
    const sorted = values.filter(Number.isFinite).sort(); // typed arrays sort by size
    return sorted[Math.floor(part * (sorted.length - 1))];
  }
  function angle(a, b) {
    const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);
    return (180 / Math.PI) * Math.acos(Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))));
  }
  const rounded = (value, decimals) => (decimals === null ? value.toPrecision(3) : value.toFixed(decimals));
  const printed = ({ factor, decimals, sign }, x) => (Number.isFinite(x) ? rounded(x * factor, decimals) + sign : "–");

  // ---------------------------------------------------------------- tables

  // in a box of its own that scrolls; the first cell of a row is its head
  function table(caption, head, rows) {
    const cell = (content) =>
      make(typeof content === "string" && /^[−\d.–]/.test(content) ? "td.number" : "td", {}, content);
    const row = ([first, ...rest]) => make("tr", {}, make("th", { scope: "row" }, first), ...rest.map(cell));
    return make("div.hsu-table", { tabIndex: 0 }, make("table", {}, make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.map(row))));
  }

  // behind a line, made when it is opened, and again while it is open
  function folded(place, title, made) {
    const fold = place.querySelector("details") ?? make("details.hsu-fold", {}, make("summary", {}, title));
    const renew = () => {
      fold.querySelector(".hsu-table")?.remove();
      if (fold.open) fold.append(made());
    };
    fold.ontoggle = renew;
    renew();
    if (!fold.parentNode) place.append(fold);
  }

  // ---------------------------------------------------------------- charts, by uPlot

  const charts = new Map();
  function chart(place, { x, xlabel, ylabel = "reflectance", lines, height, told, legend = false }) {
    const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const width = Math.max(120, place.clientWidth), data = [x, ...lines.map(({ values }) => values)];
    const look = JSON.stringify([width, height, xlabel, lines.map(({ label, stroke }) => [label, colour(stroke)])]);
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", told);
    const there = charts.get(place);
    if (there?.look === look) return there.plot.setData(data);
    there?.plot.destroy();
    const font = "12px system-ui, sans-serif", rule = { stroke: colour("--hsu-rule"), width: 1 };
    const axis = { stroke: colour("--hsu-muted"), grid: rule, ticks: rule, font, labelFont: font, labelSize: 18 };
    const value = (_, y) => y?.toFixed(3) ?? "–";
    const plot = new uPlot({
      width, height, legend: { show: legend }, cursor: { drag: { x: true, y: false }, points: { size: 5 } },
      scales: { x: { time: false } },
      axes: [{ ...axis, label: xlabel, size: 28 }, { ...axis, label: ylabel, size: 48 }],
      series: [{ label: xlabel, value: (_, k) => k?.toFixed(0) ?? "–" }, ...lines.map(({ stroke, values, width = 1.6, ...line }) =>
        ({ ...line, width, stroke: colour(stroke), points: { show: false }, value }))],
    }, data, place);
    charts.set(place, { plot, look });
  }

  // ---------------------------------------------------------------- colours of maps

  function ramp(...anchors) {
    const parts = anchors.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    return Array.from({ length: 256 }, (_, k) => {
      const at = (k / 255) * (parts.length - 1), low = Math.min(parts.length - 2, Math.floor(at));
      return parts[low].map((c, p) => Math.round(c + (at - low) * (parts[low + 1][p] - c)));
    });
  }
  const VIRIDIS = ramp("#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725");
  const SIGNED = ramp("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b");
  const HEAT = ramp("#000004", "#3b0f70", "#8c2981", "#de4968", "#fe9f6d", "#fcfdbf");

  function canvas(rgb) { // rgb: place of a pixel to its colour, or nothing
    const { height, width } = now, drawn = make("canvas", { height, width });
    const context = drawn.getContext("2d"), image = context.createImageData(width, height);
    for (let k = 0; k < width * height; k++) {
      const colour = rgb(k);
      if (colour) image.data.set([...colour, 255], 4 * k);
    }
    context.putImageData(image, 0, 0);
    return drawn;
  }
  const shaded = (values, colours, low, high) =>
    canvas((k) => colours[Math.round(255 * Math.min(1, Math.max(0, (values[k] - low) / (high - low))))]);

  function scale(title, colours, low, high) {
    const stops = colours.filter((_, k) => k % 17 === 0).map((rgb) => `rgb(${rgb})`);
    return make("span.hsu-scale-bar", {}, `${title} ${low} `, swatch(`linear-gradient(to right, ${stops})`), ` ${high}`);
  }

  // ---------------------------------------------------------------- state, address and controls

  const KEYS = ["scene", "noise", "method", "other", "seed", "material", "pixel", "score", "to", "lines"];
  let index, now, state = {}, turn = 0, claimed = ""; // claimed: the claim whose runs are shown
  const sceneOf = (name) =>
    index.scenes.find(({ place }) => place === name) ?? index.scenes.find(({ place }) => place.split(":")[0] === name);
  const stageOf = (scene, noise) => scene.stages.find((stage) => String(stage.noise ?? "") === noise);
  const conditionOf = ({ conditions }, name) => {
    const alike = conditions.filter(({ method }) => method === name);
    return conditions.find(({ slug }) => slug === name) ?? alike.find(({ maps }) => maps.length) ?? alike[0];
  };

  // what is asked for, as far as it is there; the rest is what a stage begins with
  function settle(asked, telling) {
    const missed = [];
    const known = (key, find) => {
      const found = asked[key] ? find(asked[key]) : undefined;
      if (asked[key] && !found) missed.push(`${key} “${asked[key]}”`);
      return found;
    };
    const scene = known("claim", () => null) ?? known("scene", sceneOf) ?? index.scenes[0];
    const stage = known("noise", (noise) => stageOf(scene, noise)) ?? stageOf(scene, "") ?? scene.stages[0];
    const likely = [...stage.first.map((name) => conditionOf(stage, name)), ...stage.conditions];
    const a = known("method", (name) => conditionOf(stage, name)) ?? likely[0];
    const second = likely.find((c) => c !== a);
    const none = asked.other === "none" || !second;
    const b = none ? null : known("other", (name) => conditionOf(stage, name)) ?? second;
    const seeds = [...new Set([...a.seeds, ...(b?.seeds ?? [])])].sort((x, y) => x - y);
    const seed = known("seed", (text) => seeds.find((x) => String(x) === text)) ?? "";
    const pixel = known("pixel", (text) => /^\d+,\d+$/.test(text) && text) || "";
    state = { ...asked, claim: "", scene: scene.place, noise: stage.noise ?? "", method: a.slug, other: b?.slug ?? "none", seed, pixel };
    $("missed").textContent = missed.length && telling ? `The address asks for what is not here: ${missed.join(", ")}.` : "";
    return { scene, chosen: stage, a, b, seeds };
  }

  function write() {
    const whole = { ...state, claim: claimed }, told = ["claim", ...KEYS].filter((key) => String(whole[key] ?? "") !== "");
    const text = (key) => encodeURIComponent(whole[key]).replaceAll("%2C", ",").replaceAll("%3A", ":");
    history.replaceState(null, "", `${location.pathname}#${told.map((key) => `${key}=${text(key)}`).join("&")}`);
  }

  function options(name, values, value = state[name] ?? "") { // values: text, key and perhaps a group
    const select = controls.elements[name], groups = new Map();
    select.replaceChildren();
    for (const [text, key, group] of values) {
      if (group && !groups.has(group)) select.append(groups.set(group, make("optgroup", { label: group })).get(group));
      (groups.get(group) ?? select).append(new Option(text, key));
    }
    select.value = value;
    select.closest("label").hidden = values.length < (name === "method" ? 1 : 2);
  }

  function fill({ scene, chosen: { conditions }, a, b, seeds }, materials) {
    const methods = conditions.map((c) => [c.maps.length ? c.name : `${c.name} (no maps)`, c.slug, c.group]);
    const without = (seed) => ["A", "B"].filter((_, k) => [a, b][k] && ![a, b][k].maps.includes(seed)).join(" and ");
    options("scene", index.scenes.map(({ title, place }) => [title, place]));
    options("noise", scene.stages.map(({ noise }) => [noise === null ? "none" : `${noise} dB`, noise ?? ""]));
    options("method", methods);
    options("other", methods.length > 1 ? [["none", "none"], ...methods] : []);
    options("seed", seeds.length > 1 ? [[a.median === null ? "the first" : "the median one", ""], ...seeds.map((s) => [without(s) ? `${s} (no maps of ${without(s)})` : s, s])] : []);
    options("material", [["all", "all"], ...materials.map((name) => [name, name])], state.material || "all");
  }

  // a method as it is shown: which seed, and what there is of it
  async function column(condition, tag) {
    const { status, arrays } = await load(condition.file), { name, maps, median, seeds } = condition;
    const likely = [median, ...maps, ...seeds].filter((seed) => seed !== null);
    const seed = state.seed !== "" ? state.seed : likely.find((seed) => maps.includes(seed)) ?? likely[0];
    const [E, A, residual] = ["E", "A", "residual"].map((part) => arrays[`${part}/${seed}`]);
    const words = seeds.length > 1 ? `${name}, seed ${seed}${seed === median ? " (median)" : ""}` : name;
    const others = seeds.map((s) => arrays[`E/${s}`]).filter((one) => one && one !== E);
    const why = E ? "its maps are not published" : "it was not run";
    return { ...condition, tag, seed, words, E, others, A, residual, why, status: status[seed] };
  }

  async function show(asked, telling = true) { // telling: whether to say what is not here
    const mine = ++turn, settled = settle(asked, telling);
    root.setAttribute("aria-busy", true);
    const stage = await load(settled.chosen.file);
    const columns = await Promise.all([settled.a, settled.b].filter(Boolean).map((c, k) => column(c, "AB"[k])));
    if (mine !== turn) return; // something else was chosen meanwhile
    const { materials, size: [, height, width] } = stage, narrow = root.clientWidth < 600; // where maps side by side would be small
    if (![...materials, "all"].includes(state.material)) state.material = narrow ? materials[0] : "";
    const every = materials.map((_, k) => k), one = every.filter((k) => materials[k] === state.material);
    const shown = one.length ? one : every;
    now = { ...settled, stage, columns, mapped: columns.filter((c) => c.A), shown, height, width, axis: stage.axis };
    fill(settled, materials);
    for (const part of [about, maps, endmembers, scores, claims]) part();
    look(state.pixel ? state.pixel.split(",").map(Number) : [height >> 1, width >> 1]);
    if (state.pixel) state.pixel = now.pixel.join(",");
    write();
    root.removeAttribute("aria-busy");
    if (!settled.scene.pixels) return;
    const { arrays } = await load(settled.scene.pixels);
    if (mine !== turn) return;
    now.image = arrays;
    look(now.pixel);
  }

  // ---------------------------------------------------------------- what the page says

  function about() {
    const { stage, scene, columns, mapped } = now, [a, b] = mapped;
    const coded = (note) => note.split("`").map((text, k) => (k % 2 ? make("code", {}, text) : text));
    $("about").replaceChildren(make("strong", {}, scene.title), `. ${stage.summary} `,
      ...stage.notes.map((note) => make("span.hsu-note-line", {}, ...coded(note))));
    $("methods").replaceChildren(...columns.filter((c) => c.about).map(({ tag, called, href, method, about, settings }) =>
      make("span.hsu-note-line", {}, `${tag} is `, make("a", { href: `${href}.html#method-${method}` }, called),
        `, ${about}${settings ? `. Other than by default: ${settings}` : ""}.`)));
    const odd = columns.filter((c) => !["converged", "finished", undefined].includes(c.status)).map((c) => `Status of ${c.words}: ${c.status}.`);
    const without = columns.filter((c) => !c.A).map((c) => `${c.words}: ${c.why}.`);
    const helped = columns.filter((c) => c.given).map((c) => `${c.name} was given ${c.given}.`);
    $("answer").textContent = [...(mapped.length > 1 ? [a.file === b.file ? "A and B are the same." : compared(mapped)] : without), ...helped, ...odd].join(" ");
    $("reference").textContent = stage.arrays.A ? `Reference: ${stage.reference}.` : "";
  }

  const NINTHS = ["upper left", "upper middle", "upper right", "middle left", "middle", "middle right", "lower left", "lower middle", "lower right"];
  function compared([a, b]) {
    const { stage: { materials }, height, width } = now, size = height * width;
    const gap = minus(a.A.values, b.A.values), far = new Uint8Array(size), parts = NINTHS.map(() => []);
    gap.forEach((x, n) => {
      const [row, column] = [Math.floor((n % size) / width), n % width];
      if (Math.abs(x) > 0.1) far[n % size] = 1;
      parts[3 * Math.floor((3 * row) / height) + Math.floor((3 * column) / width)].push(x);
    });
    const worst = (names, sizes) => names.map((name, k) => [name, sizes[k]]).filter(([, x]) => x >= 0).sort((x, y) => y[1] - x[1]);
    const by = worst(materials, materials.map((_, k) => rms(gap.subarray(k * size, (k + 1) * size))));
    const [[ninth, there]] = worst(NINTHS, parts.map(rms)), [most, least] = [by[0], by[by.length - 1]];
    const counting = gap.subarray(0, size).filter(Number.isFinite).length;
    const beyond = far.reduce((sum, x) => sum + x, 0) / counting;
    return `${a.words} and ${b.words} differ by ${percent(rms(gap))}, the root mean square over all abundances: most in ${most[0]} ` +
      `(${percent(most[1])}), least in ${least[0]} (${percent(least[1])}). In ${percent(beyond, beyond < 0.01 ? 2 : 0)} of the pixels some ` +
      `abundance differs by more than 0.1. Of nine equal parts of the image the ${ninth} one differs most (${percent(there)}).`;
  }

  // what can be subtracted: A − B, A − reference, B − reference
  function pairs() {
    const [a, b] = now.columns, reference = { tag: "reference", A: now.stage.arrays.A };
    return [[a, b], [a, reference], [b, reference]].filter(([x, y]) => x?.A && y?.A)
      .map(([x, y]) => ({ name: `${x.tag} − ${y.tag}`, of: (k) => minus(x.A.map(k), y.A.map(k)) }));
  }

  function maps() {
    const { stage: { materials, colours, arrays }, columns, mapped, shown, scene } = now, all = pairs();
    const pair = all.find(({ name }) => name === state.to) ?? all[0], gaps = pair ? shown.map(pair.of) : [];
    const far = Math.max(0.01, ...gaps.map((gap) => quantile(gap.map(Math.abs), 0.995)));
    const left = mapped.filter((c) => c.residual), worst = Math.max(...left.map((c) => quantile(c.residual.values, 0.995)));
    const heads = [
      ...(arrays.A ? [["Reference", "reference"]] : []),
      ...mapped.map(({ tag, words }) => [`${tag}: ${words}`, tag]),
      ...(pair ? [[`Difference ${pair.name}`, ""]] : []),
    ];
    const cells = heads.map(([head, tag]) => make("span.hsu-head-cell", tag ? { style: `border-color:var(--hsu-${tag})` } : {}, head));
    const row = (title, pictures) => cells.push(make("span.hsu-row", {}, ...title), ...pictures);
    const picture = (drawn, head, told) => {
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", told);
      return make("div.hsu-map", { title: told }, drawn, make("i.hsu-cross"), make("span.hsu-head", {}, head));
    };
    const composite = () => {
      const rgb = (k) => [0, 1, 2].map((c) => Math.round(255 * arrays.composite.at(3 * k + c)));
      return picture(canvas((k) => rgb(k).every(Number.isFinite) && rgb(k)), "composite", `Composite of ${scene.title}.`);
    };
    const residual = (c) => picture(shaded(c.residual.values, HEAT, 0, worst), `residual of ${c.tag}`,
      `Residual of ${c.words}: mean ${mean(c.residual.values).toFixed(4)}, largest ${largest(c.residual.values).toFixed(4)}.`);
    const abundance = (k, A, head, by) => picture(shaded(A.map(k), VIRIDIS, 0, 1), head, `Abundance of ${materials[k]}, ${by}: ` +
      `mean ${percent(mean(A.map(k)))}, above one half in ${percent(share(A.map(k), (x) => x > 0.5), 0)} of the pixels.`);
    if (arrays.A && arrays.composite) row([left.length ? "image, residual" : "image"], [composite(), ...left.map(residual)]);
    else {
      if (arrays.composite) row(["image"], [composite()]);
      if (left.length) row(["residual"], left.map(residual));
    }
    if (heads.length) shown.forEach((k, n) => row([swatch(colours[k]), materials[k]], [
      ...(arrays.A ? [abundance(k, arrays.A, "Reference", "reference")] : []),
      ...mapped.map((c) => abundance(k, c.A, `${c.tag}: ${c.words}`, c.words)),
      ...(pair ? [picture(shaded(gaps[n], SIGNED, -far, far), `Difference ${pair.name}`,
        `Difference ${pair.name} of ${materials[k]}: root mean square ${percent(rms(gaps[n]))}.`)] : []),
    ]));
    $("maps").style.setProperty("--columns", Math.max(1, heads.length));
    $("maps").classList.toggle("hsu-one", shown.length === 1);
    $("maps").replaceChildren(...cells);
    const lacking = columns.filter((c) => !c.A).map(({ tag }) => tag);
    const drawn = now.chosen.conditions.filter(({ maps }) => maps.length).map((c) => make("button", { type: "button", onclick: () => ask({ method: c.slug }) }, c.name));
    $("drawn").replaceChildren(...(mapped.length ? [] : drawn.length ? ["Maps here: ", ...drawn.slice(0, 6), drawn.length > 6 ? ` and ${drawn.length - 6} more in the menu of A` : ""] : ["No maps of this image are published."]));
    const instead = lacking.length && columns.length > 1 ? `The difference A − B cannot be shown, for ${lacking.join(" and ")} ` +
      `${lacking.length > 1 ? "have" : "has"} no maps here${pair ? `; shown is ${pair.name} instead` : ""}.` : "";
    const rest = make("button", { type: "button", onclick: () => ask({ material: "all" }) }, `Show all ${materials.length} materials`);
    $("to").replaceChildren(...(instead ? [make("strong", {}, instead)] : []), ...(shown.length < materials.length ? [rest] : []),
      ...(all.length > 1 ? [choice("Difference", "to", all.map(({ name }) => [name, name]), pair.name)] : []));
    $("scales").replaceChildren(...(heads.length ? [scale("abundance", VIRIDIS, 0, 1)] : []),
      ...(pair ? [scale("difference", SIGNED, `≤ −${far.toFixed(2)}`, `≥ ${far.toFixed(2)}`)] : []),
      ...(left.length ? [scale("residual", HEAT, 0, `≥ ${worst.toFixed(3)}`)] : []));
    $("maps-table").hidden = !all.length;
    folded($("maps-table"), "The differences in numbers", () => table(
      "Differences of abundances; a button leads to where they are largest.",
      ["maps", "root mean square", "mean", "pixels beyond 0.1", "largest", "where"], all.flatMap(differences)));
  }

  function differences({ name, of }) {
    return now.stage.materials.map((material, k) => {
      const gap = of(k), most = largest(gap), place = gap.findIndex((x) => Math.abs(x) === most);
      const where = [Math.floor(place / now.width), place % now.width];
      const beyond = share(gap, (x) => Math.abs(x) > 0.1);
      return [`${name}, ${material}`, percent(rms(gap)), percent(mean(gap)), percent(beyond, 0), percent(most, 0),
        make("button", { type: "button", onclick: () => pin(where) }, `row ${where[0]}, column ${where[1]}`)];
    });
  }

  const line = ({ tag }, label, values) => ({ label, values: now.axis.bands.map((k) => (k === null ? null : values[k])), stroke: `--hsu-${tag}`,
    ...(tag === "reference" && { width: 4 }), ...(tag === "B" && { dash: [6, 4] }) });
  const byBand = (lines, caption) => table(`${caption}, in reflectance.`, [now.axis.label, ...lines.map(({ label }) => label)],
    now.axis.x.map((x, n) => [x.toFixed(now.axis.label === "band" ? 0 : 1), ...lines.map(({ values }) => values[n]?.toFixed(4) ?? "–")]));

  function endmembers() {
    const { stage: { materials, colours, arrays }, columns, shown, axis } = now;
    const sources = [{ tag: "reference", words: "reference", E: arrays.E, others: [] }, ...columns].filter(({ E }) => E);
    const lines = (k, over) => sources.map((source) => {
      const found = source.E.spectrum(k), whole = over ? largest(found) : 1;
      return line(source, source.words, found.map((x) => x / whole));
    });
    const all = state.lines === "all", several = columns.some(({ others }) => others.length);
    const faint = (k) => (all ? columns : []).flatMap((c) => c.others.map((E) => E.spectrum(k)).map((found) =>
      ({ ...line({ tag: c.tag }, c.tag, found.map((x) => x / largest(found))), width: 0.8, alpha: 0.5 })));
    const drawn = shown.map((k) => {
      const [found, truth] = [({ E }) => E.spectrum(k), arrays.E?.spectrum(k)];
      const angles = (c) => [c, ...c.others.map((E) => ({ E }))].map((one) => angle(found(one), truth)).sort((x, y) => x - y);
      const ends = (c) => `${angles(c)[0].toFixed(1)} to ${angles(c).at(-1).toFixed(1)}° over ${c.others.length + 1} seeds`;
      const from = (c) => `${c.tag} ${angle(found(c), truth).toFixed(1)}°, ` + (all && c.others.length ? ends(c)
        : `× ${(rms(found(c)) / rms(truth)).toPrecision(2)}`);
      const off = truth ? columns.filter(({ E }) => E).map(from) : [];
      const place = make("div.hsu-chart"), about = off.length ? `: ${off.join("; ")}` : "";
      return [make("div", {}, make("p.hsu-panel-title", {}, swatch(colours[k]), make("b", {}, materials[k]), about), place),
        () => chart(place, { x: axis.x, xlabel: axis.label, ylabel: "over its maximum", lines: [...faint(k), ...lines(k, true)], height: shown.length === 1 ? 320 : 190,
          told: `Endmember ${materials[k]} against ${axis.label}${about}. Lines: ${sources.map(({ words }) => words).join("; ")}.` })];
    });
    for (const place of charts.keys()) if (place !== $("spectrum")) charts.get(place).plot.destroy(), charts.delete(place);
    $("endmembers").closest("section").hidden = !sources.length;
    $("endmembers").classList.toggle("hsu-one", shown.length === 1);
    $("endmembers").replaceChildren(...drawn.map(([panel]) => panel));
    now.redraw = () => drawn.forEach(([, draw]) => draw());
    now.redraw();
    $("lines").replaceChildren(...(several ? [choice("Lines", "lines", [["the seed shown", ""], ["every seed", "all"]], all ? "all" : "")] : []));
    $("key").replaceChildren(...sources.map(({ tag, words }) =>
      make("span", {}, make(`i.hsu-line-key${tag === "B" ? ".hsu-dashed" : ""}`, { style: `border-color:var(--hsu-${tag})` }), words)));
    folded($("endmembers-table"), "The endmembers as a table", () =>
      byBand(shown.flatMap((k) => lines(k).map((one) => ({ ...one, label: `${materials[k]}, ${one.label}` }))), "Endmembers"));
  }

  // ---------------------------------------------------------------- the pixel under the cursor

  function pin(place) {
    look(place);
    state.pixel = now.pixel.join(",");
    write();
  }

  let frame = 0;
  function look(place) {
    const { height, width, stage, columns, mapped } = now;
    const [row, column] = (now.pixel = place.map((x, k) => Math.min([height, width][k] - 1, Math.max(0, x)))), at = row * width + column;
    for (const { style } of $("maps").querySelectorAll(".hsu-cross"))
      Object.assign(style, { left: `${(100 * (column + 0.5)) / width}%`, top: `${(100 * (row + 0.5)) / height}%` });
    const { row: rows, column: wide } = Object.fromEntries([...$("place").querySelectorAll("input")].map((input) => [input.name, input]));
    Object.assign(rows, { value: row, max: height - 1 });
    Object.assign(wide, { value: column, max: width - 1 });
    const sources = [{ tag: "reference", words: "reference", A: stage.arrays.A }, ...columns].filter(({ A }) => A);
    const part = (value) => `${100 * Math.min(1, Math.max(0, value || 0))}%`;
    const bar = (value, tag) => make("span.hsu-share", { style: `--share:${part(value)};--line:var(--hsu-${tag})` },
      Number.isFinite(value) ? value.toFixed(2) : "–");
    const left = mapped.filter((c) => c.residual).map((c) => `${c.tag} ${c.residual.at(at).toFixed(4)}`);
    $("abundances").hidden = !sources.length;
    $("abundances").closest("section").hidden = !sources.length && !now.scene.pixels;
    $("abundances").replaceChildren(table(`Abundances at row ${row}, column ${column}${left.length ? `; residual ${left.join(", ")}` : ""}`,
      ["material", ...sources.map(({ tag }) => tag)],
      stage.materials.map((material, k) => [material, ...sources.map(({ A, tag }) => bar(A.at(k * width * height + at), tag))])));
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => spectrum(at, `Spectrum at row ${row}, column ${column}`));
  }

  function spectrum(at, title) {
    const { stage: { size: [bands], materials }, mapped, image, height, width, axis } = now;
    const over = (value) => Array.from({ length: bands }, (_, band) => value(band));
    const product = ({ E, A }, band) => (sum, _, k) => sum + E.at(band * materials.length + k) * A.at(k * width * height + at);
    const model = (c) => over((band) => materials.reduce(product(c, band), 0));
    const lines = mapped.map((c) => line(c, `rebuilt by ${c.words}`, model(c)));
    if (image) {
      const { Y, low, high } = image;
      const given = over((k) => low.at(k) + Y.at(k * height * width + at) * (high.at(k) - low.at(k)));
      lines.unshift(line({ tag: "reference" }, state.noise === "" ? "image" : "image without the noise", given));
    }
    $("spectrum").hidden = $("spectrum-table").hidden = !lines.length;
    $("rebuilt").hidden = !mapped.length;
    if (!lines.length) return;
    chart($("spectrum"), { x: axis.x, xlabel: axis.label, lines, height: 260, legend: true,
      told: `${title} against ${axis.label}: ${lines.map(({ label }) => label).join("; ")}.` });
    folded($("spectrum-table"), "The spectrum as a table", () => byBand(lines, title));
  }

  // ---------------------------------------------------------------- every seed, and claims

  let whole = false; // whether every row is shown
  function scores() {
    const { stage, chosen: { conditions }, columns } = now;
    const scored = ({ slug }, name) => stage.scores[slug]?.[name] ?? { values: [] };
    const offered = index.scores.filter(({ name }) => conditions.some((c) => scored(c, name).values.some(Number.isFinite)));
    const score = offered.find(({ name }) => name === state.score) ?? offered[0];
    $("scores-part").hidden = !score;
    if (!score) return;
    const single = `${score.name}/${state.material}`, alone = conditions.some((c) => scored(c, single).values.length);
    const known = (c) => scored(c, alone ? single : score.name), sign = score.better === "higher" ? -1 : 1;
    const centre = (c) => mean(known(c).values.map((x) => x ?? NaN));
    const order = conditions.filter((c) => Number.isFinite(centre(c)))
      .sort((x, y) => y.fresh - x.fresh || sign * (centre(x) - centre(y)));
    const some = order.filter((c, k) => whole || k < 10 || columns.some(({ slug }) => slug === c.slug));
    const values = order.flatMap((c) => known(c).values).filter((x) => x !== null), ends = [Math.min(...values), Math.max(...values)];
    const wide = ends[0] > 0 && ends[1] > 15 * ends[0], f = wide ? (x) => Math.log(Math.max(x, ends[0] / 2)) : (x) => x;
    const place = (x) => `${Math.min(100, Math.max(0, 3 + (94 * (f(x) - f(ends[0]))) / (f(ends[1]) - f(ends[0]) || 1)))}%`;
    const choose = (c, tag) => make("button", { type: "button", "aria-label": `Show ${c.name} as ${tag}`, title: `Show ${c.name} as ${tag}`,
      "aria-pressed": columns.some((x) => x.tag === tag && x.slug === c.slug),
      onclick: () => ask({ [tag === "A" ? "method" : "other"]: c.slug }) }, tag);
    const upright = { y1: 5, y2: 19 }, level = { y1: 12, y2: 12 };
    $("score").replaceChildren(choice("Score", "score", offered.map(({ title, name }) => [title, name]), score.name));
    $("sure").textContent = alone ? `Of ${state.material} alone, as chosen above.` : stage.sure[score.name];
    const more = make("button", { type: "button", onclick: () => { whole = true; scores(); } }, `Show all ${order.length}`);
    $("more").replaceChildren(...(some.length < order.length ? [`${some.length} of ${order.length} are shown. `, more] : []));
    $("scores").replaceChildren(...some.map((c) => {
      const { values, interval } = known(c), mine = columns.find(({ slug }) => slug === c.slug);
      const [middle, low, high] = (interval ?? []).map(place);
      const shown = (seed) => (mine?.seed === seed ? { class: `hsu-at-${mine.tag}`, r: 5 } : { class: "hsu-dot", r: 3 });
      const dot = (x, seed) => svg("circle", { cx: place(x), cy: 12, ...shown(seed) },
        svg("title", {}, `seed ${seed}: ${printed(score, x)}`));
      return make(`li${mine ? `.hsu-chosen.hsu-chosen-${mine.tag}` : ""}`, {},
        make("span.hsu-choose", {}, choose(c, "A"), ...(conditions.length > 1 ? [choose(c, "B")] : []), make("div", {}, make("span", {}, c.name),
          make("small", {}, c.note))),
        svg("svg", { height: 24, width: "100%", role: "img",
          "aria-label": `${c.name}: mean ${printed(score, centre(c))} over ${values.length} seeds` },
          svg("line", { class: "hsu-axis", x1: 0, x2: "100%", ...level }),
          ...(interval ? [svg("line", { class: "hsu-interval", x1: low, x2: high, ...level }),
            svg("line", { class: "hsu-mean", x1: middle, x2: middle, ...upright })] : []),
          ...values.map((x, n) => (x === null ? "" : dot(x, c.seeds[n])))),
        make("span.hsu-mean-told", {}, printed(score, centre(c))));
    }));
    $("scores-told").textContent = `${sign < 0 ? "Higher" : "Lower"} is better; best mean first, earlier runs last; axis ` +
      `${wide ? "logarithmic " : ""}from ${printed(score, ends[0])} to ${printed(score, ends[1])}. A dot is a seed, the ` +
      "upright line their mean, the thick line its interval of 97.1 %; large dots are shown above.";
    const seeds = [...new Set(order.flatMap((c) => c.seeds))].sort((x, y) => x - y);
    folded($("scores-table"), "The scores as a table", () => table(`${score.title}${alone ? `, of ${state.material}` : ""}, by seed.`,
      ["method", "mean", "interval", ...seeds.map((seed) => `seed ${seed}`)],
      order.map((c) => [c.name, printed(score, centre(c)), known(c).interval?.slice(1).map((x) => printed(score, x)).join(" to ") ?? "–",
        ...seeds.map((seed) => printed(score, known(c).values[c.seeds.indexOf(seed)] ?? null))])));
  }

  function claims() {
    const { stage, columns } = now, count = ({ conditions }) => columns.filter(({ slug }) => conditions.includes(slug)).length;
    const here = new Map(stage.claims.map((c) => [c.claim, count(c)]).filter(([, uses]) => uses));
    const late = (id) => index.claims[id].outcome === "not yet answered";
    const listed = (ids) => ids.sort((x, y) => late(x) - late(y) || here.get(y) - here.get(x) || 0).map((id) => {
      const { outcome, told, statement, chapter, where } = index.claims[id], { name, path, says } = index.looks[outcome], key = encodeURIComponent(id);
      return make("li", {}, svg("svg", { class: `hsu-sign hsu-${name}`, viewBox: "0 0 16 16", "aria-hidden": true },
        svg("path", { d: path, "fill-rule": "evenodd" })),
        make("span", {}, make("a", { href: `${chapter}.html#${key}` }, statement), make("span.hsu-told", {}, ` ${outcome}: ${told || says}`,
          ...(where ? [" ", make("a", { href: `#claim=${key}` }, `Its runs on ${where}`), "."] : []))));
    });
    const others = (method) => Object.keys(index.claims).filter((id) => !here.has(id) && index.claims[id].methods.includes(method));
    const called = new Map(columns.map((c) => [c.method, c.called])), rest = [...called].filter(([method]) => others(method).length);
    $("claims-part").hidden = !here.size && !rest.length;
    $("claims").replaceChildren(...(here.size ? listed([...here.keys()]) : [make("li", {}, make("span"), make("span", {}, "None of the claims uses these very runs."))]));
    $("elsewhere").replaceChildren(...rest.map(([method, name]) => make("details.hsu-fold", {},
      make("summary", {}, `Claims that use other runs of ${name}: ${others(method).length}`),
      make("ul.hsu-claims", {}, ...listed(others(method))))));
  }

  // ---------------------------------------------------------------- what the reader does

  const asked = () => Object.fromEntries(new URLSearchParams(`${location.search.slice(1)}&${location.hash.slice(1)}`)); // the theme takes # in a link for a selector
  function read() { // a claim stands for the state that shows its runs
    const { claim, ...more } = asked(), { state: shown, statement, outcome, told, chapter, where } = index.claims[claim] ?? {};
    claimed = shown ? claim : "";
    const card = make("a", { href: `${chapter}.html#${encodeURIComponent(claim)}` }, outcome);
    $("asked").replaceChildren(...(shown ? [`Runs on ${where} that decide the claim “${statement}” It came out: `, card, told ? `. ${told}` : "."] : []));
    return shown ? { ...shown, ...more } : asked();
  }
  function ask(change) {
    const texts = Object.entries({ ...state, ...change }).map(([key, x]) => [key, String(x ?? "")]);
    if (["scene", "noise", "method", "other"].some((key) => key in change)) claimed = "", $("asked").replaceChildren();
    show(Object.fromEntries(texts), false).catch(failed);
  }
  function failed({ message }) {
    root.removeAttribute("aria-busy");
    $("missed").textContent = `${message}: the page and its folder belong together.`;
  }
  controls.addEventListener("submit", (event) => event.preventDefault());
  root.addEventListener("change", ({ target: { name, value } }) => {
    if (!KEYS.includes(name)) return pin([...$("place").querySelectorAll("input")].map((input) => Math.round(Number(input.value)) || 0));
    const change = { [name]: value, ...(["scene", "noise", "method", "other"].includes(name) && { seed: "" }) };
    if (name === "scene") Object.assign(change, { pixel: "", material: "" });
    ask(change);
  });
  const box = $("maps");
  function under({ target, clientX, clientY }) {
    const drawn = target.closest(".hsu-map")?.querySelector("canvas"), { left, top, width, height } = drawn?.getBoundingClientRect() ?? {};
    return drawn && now && [Math.floor(((clientY - top) / height) * now.height), Math.floor(((clientX - left) / width) * now.width)];
  }
  box.addEventListener("pointermove", (event) => { const place = under(event); if (place) look(place); });
  box.addEventListener("pointerleave", () => { if (state.pixel) look(state.pixel.split(",").map(Number)); });
  box.addEventListener("click", (event) => { const place = under(event); if (place) pin(place); });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step || !now) return;
    event.preventDefault();
    pin(now.pixel.map((x, k) => x + step[k] * (event.shiftKey ? 10 : 1)));
  });
  const again = () => { if (now) { now.redraw(); look(now.pixel); } };
  let width = root.clientWidth;
  new ResizeObserver(() => { if (Math.abs(root.clientWidth - width) > 4) { width = root.clientWidth; again(); } }).observe(root);
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  window.addEventListener("hashchange", () => show(read()).catch(failed));
  load("index").then((found) => { index = found; return show(read()); }).catch(failed);
})();
