'use strict';
// An echo upstream for Waymark, built from proto/waymark/v1/attach.proto alone: node upstream.js [HOST:PORT].
const path = require('path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const protoFolder = path.join(__dirname, '..', '..', '..', 'proto');
const definition = protoLoader.loadSync('waymark/v1/attach.proto', {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: String, // `connection` has 64 bits; a JavaScript number holds 53
  oneofs: true, // `control` is the name of the member that is set
});
const { Upstream } = grpc.loadPackageDefinition(definition).waymark.v1;

/** Returns the frame that answers a frame of the bridge, or null. */
function answer({ connection, epoch, payload, control }) {
  if (control === 'half_close') return { connection, epoch, half_close: true }; // after all our answers
  if (!control && payload && payload.length > 0) return { connection, epoch, payload };
  return null;
}

/** One call is a lane, with the frames of many connections. Without Settings, an upstream need not do more than this. */
function attach(lane) {
  lane.on('data', (batch) => {
    const frames = (batch.frames || []).map(answer).filter((frame) => frame !== null);
    if (frames.length > 0) lane.write({ frames });
  });
  lane.on('end', () => lane.end());
  lane.on('error', () => {}); // the bridge is gone, and so are its connections
}

const address = process.argv[2] || '127.0.0.1:4770';
const server = new grpc.Server();
server.addService(Upstream.service, { Attach: attach });
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(`node upstream on ${address}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
