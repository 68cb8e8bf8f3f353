// A web application as the session guide describes it: express-session behind
// a proxy that ends TLS, sessions in Redis under myapp:.
import express from "express";
import session from "express-session";

// listen starts the application on store and resolves to its server.
export function listen(store) {
  const app = express();
  app.set("trust proxy", 1);
  app.use(express.json());
  app.use(
    session({
      store,
      name: "sid",
      secret: "a secret of this test",
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { secure: true, httpOnly: true, domain: ".local.com", maxAge: 900000 },
    }),
  );
  app.post("/login", (req, res, next) =>
    req.session.regenerate((err) => {
      if (err) return next(err);
      req.session.user = req.body;
      req.session.visits = 0;
      res.json({ id: req.session.id });
    }),
  );
  app.get("/me", (req, res) => {
    if (!req.session.user) return res.status(401).json({ error: "no session" });
    res.json({ id: req.session.id, user: req.session.user, visits: req.session.visits });
  });
  app.post("/visit", (req, res) => {
    req.session.visits++;
    res.json({ visits: req.session.visits });
  });
  app.post("/logout", (req, res, next) =>
    req.session.destroy((err) => {
      if (err) return next(err);
      res.clearCookie("sid", { domain: ".local.com", path: "/" }).json({});
    }),
  );
  app.use((err, req, res, next) => {
    res.status(500).json({ error: err.message });
  });
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve(server));
  });
}

// Browser keeps the cookie, sends it, and comes through the proxy.
export class Browser {
  constructor(server) {
    this.base = `http://127.0.0.1:${server.address().port}`;
    this.cookie = undefined; // name=value
    this.setCookie = undefined; // the last Set-Cookie in full
  }

  async request(method, path, body) {
    const res = await fetch(this.base + path, {
      method,
      headers: {
        "X-Forwarded-Proto": "https",
        "Content-Type": "application/json",
        Connection: "close",
        ...(this.cookie ? { Cookie: this.cookie } : {}),
      },
      body: body && JSON.stringify(body),
    });
    this.setCookie = res.headers.get("set-cookie");
    if (this.setCookie) this.cookie = this.setCookie.split(";")[0];
    return { status: res.status, body: await res.json() };
  }

  get = (path) => this.request("GET", path);
  post = (path, body) => this.request("POST", path, body);
}
