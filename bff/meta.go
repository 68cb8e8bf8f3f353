package bff

import (
	"encoding/json"
	"time"

	"coatcheck/bff/connectredis"
)

// metaName is the member in which a session keeps what it knows of itself. Node
// leaves it as it is.
const metaName = "bff"

// meta is that member. What it does not know stays.
type meta struct {
	Sub     string   `json:"sub,omitempty"`  // the user
	IDP     string   `json:"idp,omitempty"`  // the session's id at the identity provider
	Methods []string `json:"amr,omitempty"`  // how the user signed in
	Born    int64    `json:"iat,omitempty"`  // ms since the epoch
	Ends    int64    `json:"exp,omitempty"`  // the absolute deadline, ms; 0: none
	Auth    int64    `json:"auth,omitempty"` // of the sign-in, ms
	Family  string   `json:"ua,omitempty"`   // of the browser, as of the sign-in
	Label   string   `json:"on,omitempty"`   // of the device
	Network string   `json:"net,omitempty"`  // coarse
	Box     *box     `json:"box,omitempty"`  // sealed members
	To      *box     `json:"to,omitempty"`   // the new id, under the old one, see RenewGrace
}

// readMeta is the member of a document; without one, or with nonsense in its
// place, an empty one.
func readMeta(doc *connectredis.Document) (m meta) {
	if raw, ok := doc.Get(metaName); ok {
		if err := json.Unmarshal(raw, &m); err != nil {
			return meta{}
		}
	}
	return m
}

// writeMeta puts m into a document, beside what else the member has.
func writeMeta(doc *connectredis.Document, m meta) error {
	raw, _ := doc.Get(metaName)
	have, err := connectredis.Parse(raw)
	if err != nil {
		have = &connectredis.Document{}
	}
	text, err := connectredis.Marshal(m)
	if err != nil {
		return err
	}
	want, err := connectredis.Parse(text)
	if err != nil {
		return err
	}
	for _, name := range metaNames {
		if val, ok := want.Get(name); ok {
			have.Set(name, val)
		} else {
			have.Delete(name)
		}
	}
	doc.Set(metaName, have.Bytes())
	return nil
}

var metaNames = []string{"sub", "idp", "amr", "iat", "exp", "auth", "ua", "on", "net", "box", "to"}

func millis(t time.Time) int64 { return t.UnixMilli() }

// fromMillis is the zero time for 0.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
