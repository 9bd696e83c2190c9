import { browserProgram, openWebkitPage, startBrowser, webkitMissing } from '@tapline/testing';

/** A page, whichever browser has it. */
export interface OpenedPage extends AsyncDisposable {
  evaluate<T>(expression: string): Promise<T>;
}

export interface BrowserKind {
  readonly name: string;
  /** What there has to be for it, for the title of a skipped suite; undefined where it is there. */
  readonly missing: string | undefined;
  readonly open: (url: string) => Promise<OpenedPage>;
}

/** The two engines that pages of guests run in: V8 and JavaScriptCore. */
export const browsers: readonly BrowserKind[] = [
  {
    name: 'Chromium',
    missing: browserProgram() === undefined ? 'chromium' : undefined,
    async open(url) {
      await using opened = new AsyncDisposableStack();
      const browser = opened.use(await startBrowser());
      const page = opened.use(await browser.open(url));
      const owned = opened.move();
      return {
        evaluate: (expression) => page.evaluate(expression),
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  },
  { name: 'WebKit', missing: webkitMissing(), open: openWebkitPage },
];
