package main

const usage = `Coatcheck, a session store that speaks the Redis protocol.

  coatcheck                     port 6379; without a password for this machine only
  coatcheck redis.conf [flags]  read a redis.conf; flags win
  coatcheck --port 6380 --requirepass changeit --maxmemory 1gb
  coatcheck -                   read the configuration from standard input

  coatcheck --check-config [redis.conf] [flags]
            says whether the configuration is right, and where not
  coatcheck health [redis.conf] [flags]
            asks the server of this configuration whether it is well
  coatcheck --version
  coatcheck --help

Every parameter of redis.conf is a flag: --NAME VALUE or --NAME=VALUE. Those
that matter most:

  --port 6379                 0 for no TCP
  --bind "127.0.0.1 -::1"     all addresses without it
  --unixsocket FILE
  --requirepass PASSWORD
  --maxmemory 1gb             0 for no bound
  --maxmemory-policy noeviction
  --databases 16
  --maxclients 10000
  --tls-port 6380 --tls-cert-file FILE --tls-key-file FILE --tls-ca-cert-file FILE
  --loglevel notice           debug, verbose, notice, warning
  --logfile FILE              "" for standard output
  --log-format text           or json
  --metrics-addr ADDR         /metrics, /healthz and /readyz over HTTP; off without
                              it; a port alone is on 127.0.0.1
  --pprof yes                 profiles at /debug/pprof/ of --metrics-addr

The environment: COATCHECK_ and a parameter's name in capitals, with _ for -,
such as COATCHECK_MAXMEMORY=1gb; REDIS_HOST (to bind), REDIS_PORT and
REDIS_PASSWORD as clients have them. The order is: file, environment, flags; what
comes later wins.

SIGTERM and SIGINT end the server when clients have what they asked for; another
one a second later ends it at once.
`
