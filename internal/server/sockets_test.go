package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
)

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	// A server that was killed left its socket.
	stale, err := net.Listen("unix", path)
	require.NoError(t, err)
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, stale.Close())
	for _, goroutines := range []bool{false, true} {
		srv := servertest.Start(t, func(o *server.Options) {
			o.Addr, o.GoroutinePerConn = "", goroutines
			o.Config.UnixSocket, o.Config.UnixSocketPerm = path, 0o750
		})
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o750), info.Mode().Perm())
		conn, err := net.Dial("unix", path)
		require.NoError(t, err)
		p := newPeer(t, conn)
		p.ask("PING\r\n", "+PONG\r\n")
		p.send("CLIENT INFO\r\n")
		line := p.bulk()
		require.Contains(t, line, " addr="+path+":0 laddr="+path+":0 ")
		require.Contains(t, line, " flags=U ")
		p.Close()
		require.Nil(t, srv.Addr())
		require.NoError(t, srv.Shutdown(t.Context()))
		require.NoFileExists(t, path)
	}
}

// freeTCP is freePort as a number.
func freeTCP(t *testing.T) int {
	port, err := strconv.Atoi(freePort(t))
	require.NoError(t, err)
	return port
}

func TestBindSeveral(t *testing.T) {
	port := freeTCP(t)
	srv := servertest.Start(t, func(o *server.Options) {
		o.Addr, o.Config.Port = "", port
		o.Config.Bind = []string{"127.0.0.1", "127.0.0.2", "-::1", "-192.0.2.1"} // the last is nobody's
	})
	require.GreaterOrEqual(t, len(srv.Addrs()), 2)
	for _, addr := range srv.Addrs() {
		conn, err := net.Dial("tcp", addr.String())
		require.NoError(t, err)
		newPeer(t, conn).ask("PING\r\n", "+PONG\r\n")
		conn.Close()
	}
}

func TestListenFailsWhole(t *testing.T) {
	cfgPort := freeTCP(t)
	first := servertest.Start(t, func(o *server.Options) {
		o.Addr, o.Config.Port, o.Config.Bind = "", cfgPort, []string{"127.0.0.1"}
	})
	second := servertest.Start(t, func(o *server.Options) {
		o.Addr, o.Config.Port, o.Config.Bind = "", 0, []string{"127.0.0.2", "127.0.0.1"}
	})
	require.NoError(t, second.Shutdown(t.Context()))
	srv, err := server.New(server.Options{Config: first.Config(), Engine: first.Engine()})
	require.NoError(t, err)
	require.ErrorContains(t, srv.Listen(), "127.0.0.1:"+strconv.Itoa(cfgPort))
	require.Empty(t, srv.Addrs())
	require.NoError(t, srv.Shutdown(t.Context()))
}

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // of the certificate
}

// issue writes a certificate signed by parent (nil: by itself) and its key.
func issue(t *testing.T, dir, name string, parent *authority) (a authority, certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signer := authority{template, key, ""}
	if parent != nil {
		signer = *parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	return authority{cert, key, certFile}, certFile, keyFile
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, dir, "ca", nil)
	_, cert, key := issue(t, dir, "server", &ca)
	_, clientCert, clientKey := issue(t, dir, "client", &ca)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	pair, err := tls.LoadX509KeyPair(clientCert, clientKey)
	require.NoError(t, err)

	for _, c := range []struct {
		clients     string
		withoutCert bool // is a client without a certificate served?
	}{{"yes", false}, {"optional", true}, {"no", true}} {
		t.Run(c.clients, func(t *testing.T) {
			port := freeTCP(t)
			srv := servertest.Start(t, func(o *server.Options) {
				o.Addr = ""
				o.Config.Bind, o.Config.TLSPort = []string{"127.0.0.1"}, port
				o.Config.TLSCertFile, o.Config.TLSKeyFile, o.Config.TLSCACertFile = cert, key, ca.file
				o.Config.TLSAuthClients, o.Config.TLSProtocols = c.clients, "TLSv1.3"
			})
			dial := func(conf *tls.Config) (string, error) {
				conf.RootCAs = pool
				conn, err := tls.Dial("tcp", srv.Addr().String(), conf)
				if err != nil {
					return "", err
				}
				defer conn.Close()
				if _, err := conn.Write([]byte("PING\r\n")); err != nil {
					return "", err
				}
				b := make([]byte, 7)
				n, err := conn.Read(b)
				return string(b[:n]), err
			}
			got, err := dial(&tls.Config{Certificates: []tls.Certificate{pair}})
			require.NoError(t, err)
			require.Equal(t, "+PONG\r\n", got)
			_, err = dial(&tls.Config{})
			if c.withoutCert {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
			_, err = dial(&tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12})
			require.Error(t, err)
		})
	}
}

// A certificate that was renewed in its file is served once its parameter is set
// again; who is connected stays, and files that are wrong change nothing.
func TestTLSCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, dir, "ca", nil)
	first, cert, key := issue(t, dir, "server", &ca)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	port := freeTCP(t)
	srv := servertest.Start(t, func(o *server.Options) {
		o.Addr = ""
		o.Config.Bind, o.Config.TLSPort, o.Config.TLSAuthClients = []string{"127.0.0.1"}, port, "no"
		o.Config.TLSCertFile, o.Config.TLSKeyFile = cert, key
	})
	c := newCaller(t, srv)
	served := func() (*peer, *big.Int) {
		conn, err := tls.Dial("tcp", srv.Addr().String(), &tls.Config{RootCAs: pool})
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		p := newPeer(t, conn)
		p.ask("PING\r\n", "+PONG\r\n")
		return p, conn.ConnectionState().PeerCertificates[0].SerialNumber
	}
	old, serial := served()
	require.Equal(t, first.cert.SerialNumber, serial)

	second, _, _ := issue(t, dir, "server", &ca)
	c.says("+OK", "CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key)
	_, serial = served()
	require.Equal(t, second.cert.SerialNumber, serial)
	old.ask("PING\r\n", "+PONG\r\n")

	require.NoError(t, os.WriteFile(cert, []byte("no certificate"), 0o600))
	c.says("-ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS configuration. Check server logs.",
		"CONFIG", "SET", "tls-cert-file", cert)
	_, serial = served()
	require.Equal(t, second.cert.SerialNumber, serial)
	old.ask("PING\r\n", "+PONG\r\n")
}

func TestTLSRefusesWhatCannotWork(t *testing.T) {
	dir := t.TempDir()
	ca, cert, key := issue(t, dir, "ca", nil)
	for want, change := range map[string]func(o *server.Options){
		"tls-cert-file":    func(o *server.Options) { o.Config.TLSCertFile = "" },
		"tls-ca-cert":      func(o *server.Options) { o.Config.TLSCACertFile = "" },
		"no such file":     func(o *server.Options) { o.Config.TLSKeyFile = filepath.Join(dir, "none") },
		"unknown protocol": func(o *server.Options) { o.Config.TLSProtocols = "SSLv2" },
		"is offered":       func(o *server.Options) { o.Config.TLSProtocols = "TLSv1.1" },
	} {
		srv := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
		cfg := srv.Config()
		cfg.TLSPort, cfg.Bind = freeTCP(t), []string{"127.0.0.1"}
		cfg.TLSCertFile, cfg.TLSKeyFile, cfg.TLSCACertFile, cfg.TLSAuthClients = cert, key, ca.file, "yes"
		opts := server.Options{Config: cfg, Engine: srv.Engine()}
		change(&opts)
		other, err := server.New(opts)
		require.NoError(t, err)
		require.ErrorContains(t, other.Listen(), want)
		require.NoError(t, other.Shutdown(t.Context()))
	}
}
