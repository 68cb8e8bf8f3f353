// The guide's three session operations, as applications write them: with SCAN,
// DEL and EXPIRE, never KEYS. One for each client library.

export class IORedisSessions {
  constructor(redis, prefix = "myapp:") {
    this.redis = redis;
    this.prefix = prefix;
  }
  async listActiveSessions() {
    const ids = new Set();
    let cursor = "0";
    do {
      const [next, keys] = await this.redis.scan(cursor, "MATCH", this.prefix + "*", "COUNT", 100);
      keys.forEach((key) => ids.add(key.slice(this.prefix.length)));
      cursor = next;
    } while (cursor !== "0");
    return [...ids];
  }
  async invalidateSession(sessionId) {
    await this.redis.del(this.prefix + sessionId);
  }
  async refreshSession(sessionId, newTTL) {
    await this.redis.expire(this.prefix + sessionId, newTTL);
  }
}

export class NodeRedisSessions {
  constructor(client, prefix = "myapp:") {
    this.client = client;
    this.prefix = prefix;
  }
  async listActiveSessions() {
    const ids = new Set();
    for await (const keys of this.client.scanIterator({ MATCH: this.prefix + "*", COUNT: 100 })) {
      keys.forEach((key) => ids.add(key.slice(this.prefix.length)));
    }
    return [...ids];
  }
  async invalidateSession(sessionId) {
    await this.client.del(this.prefix + sessionId);
  }
  async refreshSession(sessionId, newTTL) {
    await this.client.expire(this.prefix + sessionId, newTTL);
  }
}
