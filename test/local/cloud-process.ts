/** The laptop cloud in a process of its own, to be killed: `node cloud-process.ts <assembly> <home>` prints its address when it is ready. */
import { startCloud } from '../../local/start-cloud.ts';

const [assembly, home] = process.argv.slice(2) as [string, string];
const { url, close } = await startCloud({ assembly, home, port: 0 });
process.on('SIGTERM', () => void close().then(() => process.exit(0)));
process.stdout.write(`${url}\n`);
