import type { Context, Step } from './cause.js';

/** A look that costs nothing. `sameAs`: the probe that shows the same. */
export function look(text: string, command?: string, sameAs?: string): Step {
  return { text, costs: 'nothing', ...(command === undefined ? {} : { command }), ...(sameAs === undefined ? {} : { sameAs }) };
}

export function change(text: string, command?: string): Step {
  return { text, costs: 'change', ...(command === undefined ? {} : { command }) };
}

export function buy(text: string): Step {
  return { text, costs: 'money' };
}

/** The command for the system that measured. */
export function onOs({ os }: Pick<Context, 'os'>, commands: { readonly linux: string; readonly darwin?: string }): string | undefined {
  return os === 'darwin' ? commands.darwin : commands.linux;
}
