// The colours that were chosen, before anything is drawn: a script of its own and no
// module, because modules wait for the page. What is kept stays in this browser.

document.documentElement.dataset.theme = (() => {
  try {
    return localStorage.getItem('egrid-theme') ?? '';
  } catch {
    return ''; // the browser keeps nothing for this page
  }
})();
