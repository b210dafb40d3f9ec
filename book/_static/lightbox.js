// A picture opens larger, by a click or the keyboard, and closes by a click or Esc. Without scripts it is simply
// as large as the page lets it be.
document.addEventListener("DOMContentLoaded", () => {
  const pictures = document.querySelectorAll("figure.hsu img");
  if (!pictures.length || !window.HTMLDialogElement) return;
  const box = document.createElement("dialog");
  box.className = "hsu-lightbox";
  box.setAttribute("aria-label", "Picture, enlarged");
  box.innerHTML = '<button type="button" aria-label="Close">✕</button><p></p>';
  document.body.append(box);
  const [close, caption] = box.children;
  const large = new Image(); // put there with its first picture: one without is broken
  box.addEventListener("click", () => box.close());
  for (const picture of pictures) {
    const open = () => {
      large.src = picture.currentSrc || picture.src;
      large.alt = picture.alt;
      caption.before(large);
      caption.textContent = picture.closest("figure").querySelector("figcaption")?.firstChild?.textContent ?? "";
      box.showModal(); // keeps the focus inside, closes on Esc and gives the focus back
      close.focus();
    };
    picture.tabIndex = 0;
    picture.setAttribute("role", "button");
    picture.setAttribute("aria-label", `Enlarge: ${picture.alt}`);
    picture.addEventListener("click", open);
    picture.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
  }
});
