// Package clienttest runs real, unmodified clients against the server: the
// tools that come with Redis, Go, Node and Python clients, an express-session
// application, and Redis Commander in a headless browser.
//
// It has tests only, and knows nothing of the server's packages: the server is
// a process that the test builds, starts and stops. CLIENTTEST_TARGET=redis
// runs the same tests on the redis-server found in PATH, which shows that the
// tests themselves are right (that server is older than CLIENT SETINFO, and the
// tests know). CLIENTTEST_TARGET=/path/to/server runs any other one that
// takes a redis.conf as its argument.
package clienttest
