/**
 * Under which name the page sends the secret of its address. No cookie: those of one port go to every other
 * port of the same host, too.
 */
export const consoleSecretHeader = 'x-tapline-console';
