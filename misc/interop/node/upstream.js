'use strict';
// An echoing upstream on grpc-js that acknowledges: node upstream.js HOST:PORT. See ../README.md.
const path = require('path');
const { createRequire } = require('module');

const root = path.join(__dirname, '..', '..', '..');
const fromExample = createRequire(path.join(root, 'misc', 'examples', 'node', 'upstream.js')); // has the packages
const grpc = fromExample('@grpc/grpc-js');
const definition = fromExample('@grpc/proto-loader').loadSync('waymark/v1/attach.proto', {
  includeDirs: [path.join(root, 'proto')],
  keepCase: true,
  longs: String, // `connection` has 64 bits; a JavaScript number holds 53, which is enough for offsets
  oneofs: true,
  defaults: true,
});
const { Upstream } = grpc.loadPackageDefinition(definition).waymark.v1;

const PAYLOAD_MAX = 64 << 10;
const BATCH_MAX = 512 << 10;
const DRAIN_MS = 15_000;
const SERVING = Buffer.from([8, 1]); // HealthCheckResponse, whose only field is an enum
const NOT_SERVING = Buffer.from([8, 2]);

function broken(what) {
  console.error(`BROKEN: ${what}`);
  process.exit(1);
}

/** One connection while it is attached here. All numbers are offsets from the start of its streams. */
class Attachment {
  constructor(connection, epoch, open) {
    const resumed = open.resume_state || {};
    this.ids = { connection, epoch };
    this.consumed = Number(resumed.first_offset || 0);
    this.sent = Number(resumed.committed || 0);
    this.limit = Number(open.limit);
    this.repliesEnded = !!resumed.replies_ended;
    this.waiting = Buffer.alloc(0);
    this.fin = false;
  }

  /** Adds the frames that may be sent now. */
  answers(frames) {
    while (this.waiting.length > 0 && this.sent < this.limit) {
      const payload = this.waiting.subarray(0, Math.min(PAYLOAD_MAX, this.limit - this.sent));
      this.waiting = this.waiting.subarray(payload.length);
      this.sent += payload.length;
      this.consumed += payload.length;
      frames.push({ ...this.ids, payload, consumed: this.consumed });
    }
    if (this.fin && this.waiting.length === 0) {
      this.fin = false;
      frames.push({ ...this.ids, half_close: true });
    }
  }
}

/** Adds the frames that answer a frame of the bridge; `attachments` are those of the lane, by connection. */
function onFrame(attachments, frame, frames) {
  const { connection, epoch, payload, control } = frame;
  if (control === 'ping') frames.push({ pong: { id: frame.ping.id } });
  if (control === 'open') attachments.set(connection, new Attachment(connection, epoch, frame.open));
  const to = attachments.get(connection);
  if (!to || to.ids.epoch !== epoch) return; // Late, or for the lane itself.
  to.limit = Math.max(to.limit, Number(frame.limit || 0));
  if (payload.length > 0) {
    if (Number(frame.offset) !== to.consumed + to.waiting.length) broken(`offset ${frame.offset}`);
    to.waiting = to.waiting.length === 0 ? payload : Buffer.concat([to.waiting, payload]);
  }
  if (control === 'close') {
    attachments.delete(connection);
  } else if (control === 'release') { // What waits for credit goes to the next owner.
    attachments.delete(connection);
    frames.push({ ...to.ids, consumed: to.consumed, released: {} });
  } else {
    if (control === 'half_close') to.fin = !to.repliesEnded;
    to.answers(frames);
  }
}

const lanes = new Map(); // their attachments
let isDraining = false;

function attach(lane) {
  const attachments = new Map();
  lanes.set(lane, attachments);
  lane.write({ frames: [{ settings: { revision: 1 } }] });
  if (isDraining) lane.write({ frames: [{ draining: {} }] });
  lane.on('data', (batch) => {
    let frames = [];
    let size = 0;
    for (const frame of batch.frames) {
      const start = frames.length;
      onFrame(attachments, frame, frames);
      for (const answer of frames.slice(start)) size += answer.payload ? answer.payload.length : 0;
      if (size >= BATCH_MAX) {
        lane.write({ frames });
        frames = [];
        size = 0;
      }
    }
    if (frames.length > 0) lane.write({ frames });
  });
  const forget = () => lanes.delete(lane);
  lane.on('end', () => { forget(); lane.end(); });
  lane.on('error', forget);
  lane.on('cancelled', forget);
}

const watches = new Set();
let health = SERVING;

function watch(call) {
  watches.add(call);
  call.on('cancelled', () => watches.delete(call));
  call.write(health);
}

function setHealth(answer) {
  health = answer;
  for (const call of watches) call.write(health);
}

/** Tells every lane, waits until the bridge has moved the connections, and exits. */
function drain() {
  isDraining = true;
  for (const lane of lanes.keys()) lane.write({ frames: [{ draining: {} }] });
  const deadline = Date.now() + DRAIN_MS;
  setInterval(() => {
    if ([...lanes.values()].every((attachments) => attachments.size === 0)) {
      setTimeout(() => process.exit(0), 100); // for what is still being sent
    } else if (Date.now() > deadline) {
      broken('connections are still attached');
    }
  }, 20);
}

const asIs = (bytes) => bytes;
const address = process.argv[2];
const server = new grpc.Server();
server.addService(Upstream.service, { Attach: attach });
server.addService({
  Watch: {
    path: '/grpc.health.v1.Health/Watch',
    requestStream: false,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}, { Watch: watch });
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) broken(error.message);
  console.log(`node upstream on ${address}, grpc-js ${fromExample('@grpc/grpc-js/package.json').version}`);
});
process.on('SIGUSR1', () => setHealth(NOT_SERVING)); // Node's debugger would take it otherwise.
process.on('SIGUSR2', () => setHealth(SERVING));
process.on('SIGTERM', drain);
