import { startPortConnector } from './port-connector.ts';
import { serveHolder } from './serve-holder.ts';

/** The program beside the agent that holds ports open: `SOCKET`, or `--connector` in another network. */
const [word = ''] = process.argv.slice(2);
if (word === '--connector') startPortConnector();
else await serveHolder(word);
