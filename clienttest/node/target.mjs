// Where the server under test is, as clienttest/node_test.go tells it.
const env = (name) => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these tests are run by "go test ./clienttest"`);
  return value;
};

export const host = env("TARGET_HOST");
export const port = Number(env("TARGET_PORT"));
export const socket = env("TARGET_SOCKET");
export const tlsPort = Number(env("TARGET_TLS_PORT"));
export const caFile = env("TARGET_CA");
export const password = env("TARGET_PASSWORD");
// The server that proves the tests is older than CLIENT SETINFO.
export const hasSetInfo = env("TARGET_SETINFO") === "yes";

// restart stops the server, starts it again at the same address and resolves
// when it is ready.
export async function restart() {
  const res = await fetch(env("TARGET_CONTROL") + "/restart", { method: "POST" });
  if (!res.ok) throw new Error(`restart: ${await res.text()}`);
}

// eventually polls until cond resolves to something true, for at most 15 s.
export async function eventually(cond, what) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const got = await cond();
    if (got) return got;
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// What connect-redis stores for the guide's cookie.
export const sessionJSON = JSON.stringify({
  cookie: { originalMaxAge: 900000, expires: "2026-01-02T03:04:05.678Z", secure: true, httpOnly: true, domain: ".local.com", path: "/" },
  user: { id: 42, name: "Zoë" },
});
