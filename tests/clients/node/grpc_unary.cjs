// Makes one unary gRPC call through the proxy the environment names, and checks its answer.
//
// Usage: grpc_unary.cjs TARGET ROOT TEXT
"use strict";

const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");

const [target, root, text] = process.argv.slice(2);
const client = new grpc.Client(target, grpc.credentials.createSsl(fs.readFileSync(root)));
const asIs = (bytes) => bytes;
// A protobuf message whose field 1 is the text, which is short.
const message = Buffer.from([0x0a, text.length, ...Buffer.from(text)]);

client.makeUnaryRequest("/test.Echo/Unary", asIs, asIs, message, { deadline: Date.now() + 20_000 }, (error, answer) => {
  client.close();
  if (error) {
    console.error(`${error.code} ${grpc.status[error.code]}: ${error.details}`);
    process.exitCode = 1;
  } else if (!message.equals(answer)) {
    console.error("the answer is not what was sent");
    process.exitCode = 1;
  }
});
