package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"coatcheck/internal/config"
)

// tlsConfig makes what TLS connections are served with from the tls-…
// parameters.
func tlsConfig(cfg *config.Config) (*tls.Config, error) {
	if cfg.TLSCertFile == "" || cfg.TLSKeyFile == "" {
		return nil, errors.New("tls: tls-cert-file and tls-key-file are required")
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls: load the certificate: %w", err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	if conf.MinVersion, conf.MaxVersion, err = tlsVersions(cfg.TLSProtocols); err != nil {
		return nil, err
	}
	switch cfg.TLSAuthClients {
	case "no":
		return conf, nil
	case "optional":
		conf.ClientAuth = tls.VerifyClientCertIfGiven
	default:
		conf.ClientAuth = tls.RequireAndVerifyClientCert
	}
	conf.ClientCAs, err = certPool(cfg.TLSCACertFile, cfg.TLSCACertDir)
	return conf, err
}

// certPool reads the certificates that client certificates must lead to.
func certPool(file, dir string) (*x509.CertPool, error) {
	var files []string
	if file != "" {
		files = append(files, file)
	}
	if dir != "" {
		in, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		files = append(files, in...)
	}
	if len(files) == 0 {
		return nil, errors.New("tls: either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-auth-clients is not 'no'")
	}
	pool := x509.NewCertPool()
	found := false
	for _, f := range files {
		pem, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("tls: read CA certificates: %w", err)
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, errors.New("tls: no CA certificate in " + strings.Join(files, ", "))
	}
	return pool, nil
}

// tlsVersions reads tls-protocols; empty is all that are offered, 1.2 and 1.3.
func tlsVersions(words string) (lowest, highest uint16, err error) {
	lowest, highest = tls.VersionTLS13, tls.VersionTLS12
	for _, w := range strings.Fields(words) {
		switch strings.ToLower(w) {
		case "tlsv1.2":
			lowest = tls.VersionTLS12
		case "tlsv1.3":
			highest = tls.VersionTLS13
		case "tlsv1", "tlsv1.1": // not offered: broken
		default:
			return 0, 0, errors.New("tls: unknown protocol " + w)
		}
	}
	if words == "" {
		return tls.VersionTLS12, tls.VersionTLS13, nil
	}
	if lowest > highest {
		return 0, 0, errors.New("tls: none of tls-protocols is offered: " + words)
	}
	return lowest, highest, nil
}
