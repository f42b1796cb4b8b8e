'use strict';
// Calls a service through xDS ten times a second, and prints who answers: node client.js xds:///SERVICE. GRPC_XDS_BOOTSTRAP names
// the bootstrap file, or GRPC_XDS_BOOTSTRAP_CONFIG has what would be in it. See ../README.md.
const grpc = require('@grpc/grpc-js');
require('@grpc/grpc-js-xds').register();

const INTERVAL_MS = 100;
const DEADLINE_MS = 30_000;
const METHOD = '/test.Named/Name'; // its messages are plain text

const client = new grpc.Client(process.argv[2], grpc.credentials.createInsecure());
const toBytes = (text) => Buffer.from(text);
const toText = (bytes) => bytes.toString();

function call() {
  const options = { deadline: Date.now() + DEADLINE_MS };
  client.makeUnaryRequest(METHOD, toBytes, toText, '', options, (error, name) => {
    console.log(error ? `failed: ${error.message}` : `from ${name}`);
  });
}

setInterval(call, INTERVAL_MS);
