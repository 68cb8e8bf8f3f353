"""Debian's python3-redis against the server that clienttest/python_test.go starts."""

import json
import os
import threading
import time
import unittest

import redis

HOST = os.environ["TARGET_HOST"]
PORT = int(os.environ["TARGET_PORT"])
SOCKET = os.environ["TARGET_SOCKET"]
TLS_PORT = int(os.environ["TARGET_TLS_PORT"])
CA = os.environ["TARGET_CA"]
PASSWORD = os.environ["TARGET_PASSWORD"]

SESSION = json.dumps({"cookie": {"originalMaxAge": 900000, "domain": ".local.com"}, "user": {"name": "Zoë"}})

WAYS = {
    "password": lambda: redis.Redis(HOST, PORT, password=PASSWORD, decode_responses=True),
    "user, name and db": lambda: redis.Redis(
        HOST, PORT, db=3, username="default", password=PASSWORD, client_name="bff", decode_responses=True
    ),
    "url": lambda: redis.Redis.from_url(f"redis://:{PASSWORD}@{HOST}:{PORT}/2", decode_responses=True),
    "unix": lambda: redis.Redis(unix_socket_path=SOCKET, password=PASSWORD, decode_responses=True),
    "tls": lambda: redis.Redis(
        HOST, TLS_PORT, password=PASSWORD, ssl=True, ssl_ca_certs=CA, ssl_check_hostname=True, decode_responses=True
    ),
}


class Sessions(unittest.TestCase):
    def setUp(self):
        with redis.Redis(HOST, PORT, password=PASSWORD) as r:
            r.flushall()

    def test_life(self):
        for name, connect in WAYS.items():
            with self.subTest(name), connect() as r:
                prefix = f"myapp:{name}:"
                key = prefix + "s1"
                self.assertTrue(r.ping())
                self.assertTrue(r.set(key, SESSION, ex=900))
                self.assertEqual(r.get(key), SESSION)
                self.assertLessEqual(abs(r.ttl(key) - 900), 20)
                self.assertTrue(r.expire(key, 100))
                self.assertLessEqual(r.pttl(key), 100_000)
                self.assertTrue(r.expire(key, 200, gt=True))
                self.assertIsNone(r.get(prefix + "none"))
                self.assertIsNone(r.set(key, "x", nx=True))
                self.assertEqual(r.set(key, SESSION, get=True, keepttl=True), SESSION)
                self.assertEqual(r.getex(key, px=5000), SESSION)
                self.assertEqual(r.mget(key, prefix + "none"), [SESSION, None])
                self.assertTrue(r.rename(key, prefix + "s2"))
                self.assertTrue(r.copy(prefix + "s2", key))
                self.assertEqual(r.delete(key, prefix + "s2"), 2)
                self.assertEqual(r.ttl(key), -2)

    def test_pipeline_and_scan(self):
        for name, connect in WAYS.items():
            with self.subTest(name), connect() as r:
                prefix = f"myapp:{name}:"
                pipe = r.pipeline(transaction=False)
                for i in range(500):
                    pipe.set(f"{prefix}{i}", i, px=60_000)
                pipe.incr(f"{prefix}0")
                answers = pipe.execute()
                self.assertEqual(answers, [True] * 500 + [1])
                keys = set(r.scan_iter(prefix + "*", count=50))
                self.assertEqual(keys, {f"{prefix}{i}" for i in range(500)})
                self.assertEqual(r.unlink(*keys), 500)

    def test_introspection(self):
        for name, connect in WAYS.items():
            with self.subTest(name), connect() as r:
                prefix = f"myapp:{name}:"
                info = r.info()
                self.assertIn("redis_version", info)
                self.assertIsInstance(info["used_memory"], int)
                self.assertEqual(r.config_get("maxmemory"), {"maxmemory": "0"})
                self.assertIsInstance(r.client_id(), int)
                me = r.client_info()
                self.assertEqual(me["cmd"], "client|info")
                self.assertIn(me["addr"], [c["addr"] for c in r.client_list()])
                self.assertEqual(r.client_getname() or "", me["name"])
                self.assertEqual(r.command()["get"]["arity"], 2)
                self.assertEqual(r.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])
                r.set(prefix + "n", 12)
                self.assertEqual(r.object("encoding", prefix + "n"), "int")
                self.assertGreater(r.memory_usage(prefix + "n"), 0)
                self.assertLess(abs(r.time()[0] - time.time()), 60)
                self.assertIsInstance(r.slowlog_get(), list)

    def test_bytes(self):
        r = redis.Redis(HOST, PORT, password=PASSWORD)
        value = bytes(range(256)) * 1000
        r.set("bytes", value)
        self.assertEqual(r.get("bytes"), value)
        self.assertEqual(r.getrange("bytes", 250, 258), value[250:259])
        self.assertEqual(r.incrbyfloat("float", 0.1), 0.1)

    def test_errors(self):
        with self.assertRaisesRegex(redis.ResponseError, "WRONGPASS"):
            redis.Redis(HOST, PORT, password="wrong").ping()
        with self.assertRaisesRegex(redis.AuthenticationError, "Authentication required"):
            redis.Redis(HOST, PORT).ping()
        r = redis.Redis(HOST, PORT, password=PASSWORD)
        with self.assertRaisesRegex(redis.ResponseError, "unknown command 'NOSUCH', with args beginning with: 'a' "):
            r.execute_command("NOSUCH", "a")
        r.set("text", "x")
        with self.assertRaisesRegex(redis.ResponseError, "value is not an integer or out of range"):
            r.incr("text")

    def test_monitor(self):
        r = redis.Redis(HOST, PORT, password=PASSWORD)
        with redis.Redis(HOST, PORT, password=PASSWORD, db=4).monitor() as monitor:
            r.set("myapp:mon", 'a "b"')
            for seen in monitor.listen():
                if "myapp:mon" in seen["command"]:
                    break
        self.assertEqual(seen["command"], 'SET myapp:mon a "b"')
        self.assertEqual(seen["db"], 0)
        self.assertEqual(seen["client_type"], "tcp")

    def test_pubsub(self):
        for name, connect in WAYS.items():
            with self.subTest(name), connect() as r, r.pubsub() as sub:
                prefix = f"myapp:{name}:"

                def heard():
                    for _ in range(9): # what was subscribed to is skipped
                        got = sub.get_message(ignore_subscribe_messages=True, timeout=15)
                        if got is not None:
                            return got["type"], got["channel"], got["data"]
                    self.fail("nothing came")

                sub.subscribe(prefix + "a", prefix + "b")
                sub.psubscribe(prefix + "p*")
                self.assertEqual([sub.get_message(timeout=15)["data"] for _ in range(3)], [1, 2, 3])
                self.assertEqual(r.publish(prefix + "a", SESSION), 1)
                self.assertEqual(r.publish(prefix + "px", "two"), 1)
                self.assertEqual(r.publish(prefix + "none", "x"), 0)
                self.assertEqual(heard(), ("message", prefix + "a", SESSION))
                self.assertEqual(heard(), ("pmessage", prefix + "px", "two"))
                self.assertEqual(r.pubsub_numsub(prefix + "a"), [(prefix + "a", 1)])
                sub.ping("still there")
                self.assertEqual(heard(), ("pong", None, "still there"))
                db = r.connection_pool.connection_kwargs.get("db", 0)
                r.config_set("notify-keyspace-events", "KEA")
                sub.psubscribe(f"__keyspace@{db}__:{prefix}*")
                self.assertEqual(sub.get_message(timeout=15)["type"], "psubscribe")
                r.set(prefix + "session", SESSION, px=30)
                events = []
                while len(events) < 3:
                    kind, _, data = heard()
                    if kind == "pmessage":
                        events.append(data)
                self.assertEqual(events, ["set", "expire", "expired"])

    def test_tracking(self):
        """Invalidations for another connection, as RESP2 has them."""
        r = redis.Redis(HOST, PORT, password=PASSWORD, decode_responses=True)
        with r.pubsub() as sub, r.client() as one:
            sub.subscribe("__redis__:invalidate")
            self.assertEqual(sub.get_message(timeout=15)["data"], 1)
            self.assertTrue(one.client_tracking_on(clientid=[c["id"] for c in r.client_list(_type="pubsub")][0]))
            self.assertIsNone(one.get("myapp:tracked"))
            r.set("myapp:tracked", "1")
            self.assertEqual(sub.get_message(timeout=15)["data"], ["myapp:tracked"])
            self.assertTrue(one.client_tracking_off())

    def test_threads(self):
        r = redis.Redis(HOST, PORT, password=PASSWORD, max_connections=50)
        threads = [threading.Thread(target=lambda: [r.incr("threads") for _ in range(100)]) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(int(r.get("threads")), 2000)

    def test_reconnect(self):
        r = redis.Redis(HOST, PORT, password=PASSWORD)
        other = redis.Redis(HOST, PORT, password=PASSWORD)
        r.set("reconnect", "1")
        other.client_kill_filter(_id=r.client_id())
        self.assertEqual(r.get("reconnect"), b"1")


if __name__ == "__main__":
    unittest.main()
