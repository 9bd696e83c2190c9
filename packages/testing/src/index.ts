export type { BrowserPage, PageFile } from './browser/browser-page.ts';
export { type Browser, browserProgram, startBrowser } from './browser/start-browser.ts';
export { openWebkitPage, webkitMissing, type WebkitPage } from './browser/start-webkit.ts';
export { eventually } from './eventually.ts';
export { haveProgram } from './have-program.ts';
export { sharedDataFile } from './shared-data.ts';
export { type DockerRegistry, startDockerRegistry } from './start-docker-registry.ts';
export { startProcess, type StartedProcess, type StartProcessOptions } from './start-process.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
