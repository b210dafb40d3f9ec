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
        const box = row.closest(".hsu-table");
        const about = box?.querySelector("caption")?.textContent ?? "";
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
