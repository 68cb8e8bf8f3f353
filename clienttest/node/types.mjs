// Writes, a line each, what a Node client's commands for every data type are answered:
// node types.mjs CLIENT. clienttest/types_test.go compares the lines of two servers.
import { inspect } from "node:util";

const host = process.env.TARGET_HOST;
const port = Number(process.env.TARGET_PORT);
const password = process.env.TARGET_PASSWORD;

// The package of a client, its options, and how one connects.
const ioredis = (name, options) => async () => {
  const { default: Redis } = await import(name);
  const redis = new Redis({ host, port, password, ...options });
  return Object.assign(redis, { end: () => redis.disconnect() });
};
const nodeRedis = (name, options) => async () => {
  const { createClient } = await import(name);
  const client = await createClient({ socket: { host, port }, password, ...options }).connect();
  return Object.assign(client, { end: () => client.destroy() });
};
const clients = {
  ioredis6: ioredis("ioredis", {}),
  "ioredis6-resp2": ioredis("ioredis", { protocol: 2 }),
  ioredis5: ioredis("ioredis5", {}),
  "node-redis6": nodeRedis("redis", {}),
  "node-redis6-resp2": nodeRedis("redis", { RESP: 2 }),
  "node-redis5": nodeRedis("redis5", {}),
};

const connect = clients[process.argv[2]];
const script = await import(process.argv[2].startsWith("ioredis") ? "./types-ioredis.mjs" : "./types-node-redis.mjs");
const [client, waiting, admin] = await Promise.all([connect(), connect(), connect()]);

const show = (value) => inspect(value, { depth: null, compact: true, breakLength: Infinity, maxArrayLength: null, sorted: false });
const sorted = (value) => (Array.isArray(value) ? value.map(String).sort() : value);

// call runs a method and is a line about what came of it.
async function call(target, name, args, arrange = (value) => value) {
  let answer;
  try {
    answer = show(arrange(await target[name](...args)));
  } catch (err) {
    answer = `failed: ${err.message}`;
  }
  return `${name} ${show(args)}: ${answer}`;
}

// recording is a client whose every call is written down.
const recording = (target, arrange) => new Proxy({}, { get: (_, name) => async (...args) => console.log(await call(target, name, args, arrange)) });

// The most a script may wait; what hangs ends with an error.
setTimeout(() => {
  console.error("the script hangs");
  process.exit(1);
}, 45_000).unref();

async function isBlocked(yes) {
  for (;;) {
    const info = String(await admin.info("clients"));
    if (info.includes(`blocked_clients:${yes ? 1 : 0}\r`)) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

// blocked runs a waiting call, and what ends it once it waits.
async function blocked(name, args, end) {
  const answered = call(waiting, name, args);
  await isBlocked(true);
  await end();
  console.log(await answered);
  await isBlocked(false);
}

const redis = recording(client);
const tools = {
  client,
  redis, // in any order where the server may choose
  unordered: recording(client, sorted),
  blocked,
  say: (name, value) => console.log(`${name}: ${show(value)}`),
};
for (const part of script.parts) {
  await (client.flushall ?? client.flushAll).call(client);
  await part(tools);
}
if (process.env.TARGET_NEWER === "yes") await script.newer(client);
console.log("done");
for (const c of [client, waiting, admin]) c.end();
