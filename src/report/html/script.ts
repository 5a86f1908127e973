/**
 * The page's only script: a copy button beside each command, and what is folded opens for paper, but for the tables
 * beside pictures, which say the same. The page is whole without it. It makes the buttons
 * itself, so that nothing dead is shown or printed where scripts do not run.
 */
export const SCRIPT = `for (const box of document.querySelectorAll('.command')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  const code = box.querySelector('code');
  button.setAttribute('aria-label', 'Copy the command ' + code.textContent);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = 'Marked';
    }
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  });
  box.append(button);
}
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((each) => (each.open ||= !each.closest('figure'))));
`;
