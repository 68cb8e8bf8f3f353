// A logout overtakes a slow request of the same session, 20 times. The
// applications are unmodified; the store has session-tombstone-ttl.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore8 } from "connect-redis8";
import express from "express";
import session from "express-session";
import Redis5 from "ioredis5";
import { createClient } from "redis";
import { Browser } from "./app.mjs";
import * as target from "./target.mjs";

const { host, port, password } = target;
const prefix = "myapp:";
const trials = 20;

const stacks = {
  "connect-redis 8, ioredis 5": async () => {
    const client = new Redis5({ host, port, password });
    return { store: new RedisStore8({ client, prefix }), close: () => client.disconnect() };
  },
  "connect-redis 10, node-redis 6": async () => {
    const client = await createClient({ socket: { host, port }, password }).connect();
    return { store: new RedisStore10({ client, prefix }), close: () => client.destroy() };
  },
};
const options = {
  "resave, rolling and saveUninitialized": { resave: true, rolling: true, saveUninitialized: true },
  "none of them": { resave: false, rolling: false, saveUninitialized: false },
};

// listen starts an application whose slow requests say so by arrived, and wait
// for gate.
function listen(store, opts, hold) {
  const app = express();
  app.set("trust proxy", 1);
  app.use(session({ store, name: "sid", secret: "a secret", ...opts, cookie: { secure: true, maxAge: 900000 } }));
  app.post("/login", (req, res, next) =>
    req.session.regenerate((err) => {
      if (err) return next(err);
      req.session.user = "alice";
      res.json({ id: req.session.id });
    }),
  );
  app.get("/me", (req, res) => res.status(req.session.user ? 200 : 401).json({}));
  app.post("/logout", (req, res, next) => req.session.destroy((err) => (err ? next(err) : res.json({}))));
  app.post("/slow-write", async (req, res) => {
    req.session.late = "write";
    await hold();
    res.json({});
  });
  app.get("/slow-read", async (req, res) => {
    assert.equal(req.session.user, "alice");
    await hold();
    res.json({});
  });
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve(server));
  });
}

for (const [name, open] of Object.entries(stacks)) {
  for (const [optName, opts] of Object.entries(options)) {
    describe(`${name}, ${optName}`, () => {
      let stack, server, admin, arrived, gate;
      const hold = () => {
        arrived();
        return gate;
      };
      before(async () => {
        stack = await open();
        server = await listen(stack.store, opts, hold);
        admin = new Redis5({ host, port, password });
      });
      after(() => {
        server.close();
        stack.close();
        admin.disconnect();
      });

      // race is how often the session was alive after its logout.
      const race = async (method, path) => {
        let alive = 0;
        for (let i = 0; i < trials; i++) {
          let release;
          gate = new Promise((resolve) => (release = resolve));
          const here = new Promise((resolve) => (arrived = resolve));
          const browser = new Browser(server);
          const { body } = await browser.post("/login");
          const slow = new Browser(server);
          const thief = new Browser(server);
          slow.cookie = thief.cookie = browser.cookie;
          const late = slow.request(method, path);
          await here;
          assert.equal((await browser.post("/logout")).status, 200);
          release();
          assert.equal((await late).status, 200, "the late response goes out");
          const status = (await thief.get("/me")).status;
          const stored = (await admin.exists(prefix + body.id)) === 1;
          if (status === 200 || stored) alive++;
        }
        return alive;
      };

      test("with tombstones, logout is final", async () => {
        await admin.config("SET", "session-tombstone-ttl", "30");
        assert.equal(await race("POST", "/slow-write"), 0);
        assert.equal(await race("GET", "/slow-read"), 0);
      });

      test("without them, the slow write wins", async () => {
        await admin.config("SET", "session-tombstone-ttl", "0");
        assert.equal(await race("POST", "/slow-write"), trials);
      });
    });
  }
}
