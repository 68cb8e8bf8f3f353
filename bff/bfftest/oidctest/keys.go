package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// signingKey signs tokens.
type signingKey struct {
	kid     string
	alg     string
	private crypto.Signer
}

func newKey(alg string) *signingKey {
	k := &signingKey{kid: random()[:8], alg: alg}
	var err error
	switch alg {
	case "", "ES256":
		k.alg = "ES256"
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("oidctest: no algorithm %q", alg)
	}
	if err != nil {
		panic(err)
	}
	return k
}

// RotateKeys has a new key sign from now on. The old one stays published, unless
// drop says that tokens it signed are good no more.
func (p *Provider) RotateKeys(drop bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if drop {
		p.keys = nil
	}
	p.keys = append(p.keys, newKey(p.opts.Algorithm))
}

func (p *Provider) signingKey() *signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1]
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a compact JWS. A header that names "none", or "HS256" with a secret,
// gets what it names.
func (k *signingKey) sign(header, claims map[string]any, secret []byte) string {
	input := b64(mustJSON(header)) + "." + b64(mustJSON(claims))
	switch header["alg"] {
	case "none":
		return input + "."
	case "HS256":
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		return input + "." + b64(mac.Sum(nil))
	}
	return input + "." + b64(k.signature([]byte(input)))
}

func (k *signingKey) signature(input []byte) []byte {
	sum := sha256.Sum256(input)
	if key, ok := k.private.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	sig, err := k.private.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return sig
}

// verify says whether the key signed a token, and returns its claims.
func (k *signingKey) verify(token string) (claims map[string]any, ok bool) {
	last := strings.LastIndexByte(token, '.')
	_, payload, found := strings.Cut(token[:max(last, 0)], ".")
	if !found {
		return nil, false
	}
	sig, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	if err != nil || !k.verifies([]byte(token[:last]), sig) {
		return nil, false
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return nil, false
	}
	return claims, true
}

func (k *signingKey) verifies(input, sig []byte) bool {
	sum := sha256.Sum256(input)
	switch pub := k.private.Public().(type) {
	case *ecdsa.PublicKey:
		return len(sig) == 64 && ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) == nil
	}
	return false
}

// jwk is the public half.
func (k *signingKey) jwk() map[string]any {
	out := map[string]any{"kid": k.kid, "use": "sig", "alg": k.alg}
	switch pub := k.private.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := pub.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		out["kty"], out["crv"], out["x"], out["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	case *rsa.PublicKey:
		out["kty"], out["n"], out["e"] = "RSA", b64(pub.N.Bytes()), b64(big.NewInt(int64(pub.E)).Bytes())
	}
	return out
}

func (p *Provider) serveJWKS(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	keys := slices.Clone(p.keys)
	p.mu.Unlock()
	jwks := []map[string]any{}
	for _, k := range keys {
		jwks = append(jwks, k.jwk())
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": jwks})
}

// hint are the claims of an ID token of this provider, expired or not.
func (p *Provider) hint(token string) map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		if claims, ok := k.verify(token); ok && claims["iss"] == p.opts.Issuer {
			return claims
		}
	}
	return nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(mustJSON(v)) // the client may be gone
}
