// A box that filters the rows of the tables after it. Without scripts the page is whole, only longer to read.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector(".hsu-filter");
  if (!place) return;
  const article = place.closest("article") ?? document.body;
  place.innerHTML =
    '<label>Filter the rows of this page <input class="hsu-search" type="search" placeholder="samson"></label>' +
    '<p role="status" class="hsu-found"></p>';
  const input = place.querySelector("input");
  const found = place.querySelector("[role=status]");
  const folds = [...article.querySelectorAll("details")].filter((fold) => fold.querySelector("tbody"));
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let count = 0;
    for (const fold of folds) {
      let matches = 0;
      for (const row of fold.querySelectorAll("tbody tr")) {
        const about = fold.querySelector("summary")?.textContent ?? "";
        row.hidden = !`${about} ${row.textContent}`.toLowerCase().includes(wanted);
        matches += row.hidden ? 0 : 1;
      }
      for (const box of fold.querySelectorAll(".hsu-table")) {
        box.hidden = !box.querySelector("tbody tr:not([hidden])");
      }
      fold.open = wanted !== "" && matches > 0;
      count += matches;
    }
    found.textContent = wanted === "" ? "" : `${count} rows`;
  });
});

// Selects that filter the claims of a page by what is written on each; their state is in the address, so that it can
// be linked to: #outcome=open&scene=samson
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector(".hsu-pick");
  if (!place) return;
  const claims = [...document.querySelectorAll("[data-outcome]")];
  const titles = { document: "Document", outcome: "Outcome", scene: "Scene", coverage: "Answered" };
  const values = (claim, name) => claim.dataset[name].split(name === "scene" ? " " : "\n").filter(Boolean);
  place.innerHTML = '<div class="hsu-selects"></div><p role="status" class="hsu-found"></p>';
  const [row, found] = place.children;
  const selects = [];
  for (const [name, title] of Object.entries(titles)) {
    const choices = [...new Set(claims.flatMap((claim) => values(claim, name)))];
    if (choices.length < 2) continue;
    if (name === "scene") choices.sort();
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.name = name;
    select.add(new Option("all", ""));
    for (const choice of choices) select.add(new Option(choice, choice));
    label.append(title, select);
    row.append(label);
    selects.push(select);
  }
  const filter = () => {
    const wanted = selects.filter((select) => select.value);
    for (const claim of claims) {
      claim.hidden = !wanted.every((select) => values(claim, select.name).includes(select.value));
    }
    const count = claims.filter((claim) => !claim.hidden).length;
    found.textContent = `${count} of ${claims.length} claims`;
    return wanted;
  };
  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (location.hash && !selects.some((select) => asked.has(select.name))) return filter(); // a place on the page
    for (const select of selects) {
      const value = asked.get(select.name) ?? "";
      select.value = [...select.options].some((option) => option.value === value) ? value : "";
    }
    return filter();
  };
  row.addEventListener("change", () => {
    const state = new URLSearchParams(filter().map((select) => [select.name, select.value]));
    history.replaceState(null, "", `${location.pathname}${location.search}${state.size ? `#${state}` : ""}`);
  });
  window.addEventListener("hashchange", read);
  read();
});
