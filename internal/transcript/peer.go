package transcript

import (
	"errors"
	"net"
	"strings"

	"coatcheck/resp"
)

// Peer is the target of a real server, whose version it asks for.
func Peer(dial func() (net.Conn, error)) (Target, error) {
	t := Target{Dial: dial}
	r := &runner{t: t}
	c, err := r.dial()
	if err != nil {
		return t, err
	}
	defer c.Close()
	if err := c.write(resp.AppendCommand(nil, "INFO", "server"), 0); err != nil {
		return t, err
	}
	v, err := c.read()
	if err != nil {
		return t, err
	}
	for line := range strings.Lines(v.Text) {
		if version, ok := strings.CutPrefix(line, "redis_version:"); ok {
			t.Version = strings.TrimSpace(version)
			return t, nil
		}
	}
	return t, errors.New("INFO tells no redis_version: " + v.String())
}
