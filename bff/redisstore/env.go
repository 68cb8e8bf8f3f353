package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff"
)

// Opener has bff.FromEnv open a store for SESSION_STORE=redis. It reads
//
//	REDIS_HOST, REDIS_PORT        "localhost" and "6379"
//	REDIS_USERNAME, REDIS_PASSWORD
//	REDIS_DB                      a number
//	REDIS_URL                     redis:// or rediss:// with all of that; what else is set wins
//	REDIS_TLS                     true or false
//	REDIS_TLS_CA, REDIS_TLS_CERT, REDIS_TLS_KEY
//	                              files in PEM: who signed the server's certificate, and our own
//	REDIS_TLS_SERVER_NAME         the name in the server's certificate, when it is not the host
//	REDIS_SENTINELS, REDIS_SENTINEL_MASTER, REDIS_SENTINEL_PASSWORD
//	                              "host:port,…" and the name that they know the master by
//	REDIS_CLUSTER                 "host:port,…", some of the Cluster's servers
//
// It does not connect: a server that is down now may be up later.
func Opener() bff.Opener {
	return bff.Opener{Name: "redis", Open: func(env bff.Env) (bff.Store, error) {
		rdb, err := Client(env)
		if err != nil {
			return nil, err
		}
		return New(rdb, Options{})
	}}
}

// Client is the client that Opener makes.
func Client(env bff.Env) (redis.UniversalClient, error) {
	opt, err := server(env)
	if err != nil {
		return nil, err
	}
	sentinels, nodes := env.List("REDIS_SENTINELS"), env.List("REDIS_CLUSTER")
	switch {
	case len(sentinels) > 0 && len(nodes) > 0:
		return nil, errors.New("REDIS_SENTINELS and REDIS_CLUSTER: one of them")
	case len(sentinels) > 0:
		name := env.String("REDIS_SENTINEL_MASTER", "")
		if name == "" {
			return nil, errors.New("REDIS_SENTINELS without REDIS_SENTINEL_MASTER")
		}
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: name, SentinelAddrs: sentinels, SentinelPassword: env.String("REDIS_SENTINEL_PASSWORD", ""),
			Username: opt.Username, Password: opt.Password, DB: opt.DB, TLSConfig: opt.TLSConfig,
			ContextTimeoutEnabled: true, DialerRetries: 1,
		}), nil
	case len(nodes) > 0:
		if opt.DB != 0 {
			return nil, errors.New("REDIS_CLUSTER: a Cluster has no REDIS_DB but 0")
		}
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: nodes, Username: opt.Username, Password: opt.Password, TLSConfig: opt.TLSConfig,
			ContextTimeoutEnabled: true, DialerRetries: 1,
		}), nil
	}
	return redis.NewClient(opt), nil
}

// server are the options of one server. A refused connection is not tried again by
// the client: requests are waiting, and come again.
func server(env bff.Env) (*redis.Options, error) {
	opt := &redis.Options{}
	url := env.String("REDIS_URL", "")
	host, port := "localhost", "6379"
	if url != "" {
		var err error
		if opt, err = redis.ParseURL(url); err != nil {
			return nil, errors.New("REDIS_URL is no address like redis://user:password@host:6379/0") // without its password
		}
		if h, p, err := net.SplitHostPort(opt.Addr); err == nil {
			host, port = h, p
		}
	}
	if opt.Network != "unix" {
		opt.Addr = net.JoinHostPort(env.String("REDIS_HOST", host), env.String("REDIS_PORT", port))
	}
	opt.Username, opt.Password = env.String("REDIS_USERNAME", opt.Username), env.String("REDIS_PASSWORD", opt.Password)
	var err error
	if opt.DB, err = env.Int("REDIS_DB", opt.DB); err != nil {
		return nil, err
	}
	if opt.TLSConfig, err = tlsConfig(env, opt.TLSConfig); err != nil {
		return nil, err
	}
	opt.ContextTimeoutEnabled, opt.DialerRetries = true, 1
	return opt, nil
}

// tlsConfig is how to speak TLS, nil for not at all.
func tlsConfig(env bff.Env, have *tls.Config) (*tls.Config, error) {
	on, err := env.Bool("REDIS_TLS", have != nil)
	if err != nil || !on {
		return nil, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if have != nil {
		cfg.ServerName = have.ServerName
	}
	cfg.ServerName = env.String("REDIS_TLS_SERVER_NAME", cfg.ServerName)
	if file := env.String("REDIS_TLS_CA", ""); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("REDIS_TLS_CA: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("REDIS_TLS_CA: there is no certificate in %s", file)
		}
	}
	cert, key := env.String("REDIS_TLS_CERT", ""), env.String("REDIS_TLS_KEY", "")
	if cert == "" && key == "" {
		return cfg, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("REDIS_TLS_CERT, REDIS_TLS_KEY: %w", err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}
