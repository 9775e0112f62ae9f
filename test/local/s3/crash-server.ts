/** A process to be killed: the laptop's S3 on the folder named, telling its port and each event (then acknowledged) in JSON lines. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createS3, type S3ObjectEvent } from '../../../local/s3/s3.ts';

const tell = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
let deliver = (event: S3ObjectEvent) => void early.push(event);
const early: S3ObjectEvent[] = [];

const s3 = await createS3({ root: process.argv[2]!, onEvent: (event) => deliver(event) });
deliver = (event) => {
  tell({ event });
  void s3.ackEvent(event.id);
};
await s3.createBucket('storm', { versioned: true });
const server = createServer((request, response) => void s3.handle(request, response));
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port, pending: s3.pendingEvents() }));
for (const event of [...s3.pendingEvents(), ...early]) deliver(event);
