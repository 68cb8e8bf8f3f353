//go:build linux

package driver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Client asks single commands, one after another. It is for what goes on beside
// a load: DBSIZE, PING, INFO, KEYS.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

// Timeout bounds every single wait for a server.
const Timeout = 60 * time.Second

// Dial connects to an address of the form "tcp:host:port" or "unix:path".
func Dial(addr string) (*Client, error) {
	network, address, err := splitAddr(addr)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout(network, address, Timeout)
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn, in: bufio.NewReaderSize(conn, 1<<16)}, nil
}

func splitAddr(addr string) (network, address string, err error) {
	for _, network := range []string{"tcp", "unix"} {
		if n := len(network); len(addr) > n && addr[:n] == network && addr[n] == ':' {
			return network, addr[n+1:], nil
		}
	}
	return "", "", fmt.Errorf("driver: address %q is neither tcp:host:port nor unix:path", addr)
}

// Close ends the connection.
func (c *Client) Close() { c.conn.Close() }

// Do asks one command and returns its reply as text: a string's bytes, an
// integer's digits, the number of elements of an array. A null is "". Error
// replies are errors.
func (c *Client) Do(args ...string) (string, error) {
	c.conn.SetDeadline(time.Now().Add(Timeout))
	c.out = appendCommand(c.out[:0], args)
	if _, err := c.conn.Write(c.out); err != nil {
		return "", err
	}
	return c.reply()
}

// Int is Do for a command that replies with an integer.
func (c *Client) Int(args ...string) (int, error) {
	s, err := c.Do(args...)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(s)
}

func (c *Client) reply() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	if len(line) < 3 {
		return "", fmt.Errorf("%w: %q", errReply, line)
	}
	mark, text := line[0], string(line[1:len(line)-2])
	switch mark {
	case '+', ':':
		return text, nil
	case '-':
		return "", errors.New(text)
	case '$':
		return c.bulk(text)
	case '*':
		return text, c.elements(text)
	}
	return "", fmt.Errorf("%w: %q", errReply, line)
}

func (c *Client) bulk(size string) (string, error) {
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 {
		return "", err
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(c.in, b); err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// elements reads an array's elements and keeps none: KEYS has a million.
func (c *Client) elements(count string) error {
	n, err := strconv.Atoi(count)
	for i := 0; i < n && err == nil; i++ {
		err = c.skip()
	}
	return err
}

func (c *Client) skip() error {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 3 || line[0] == '*' {
		return fmt.Errorf("%w: %q", errReply, line)
	}
	if line[0] != '$' || line[1] == '-' {
		return nil
	}
	size := 0
	for _, c := range line[1 : len(line)-2] {
		size = size*10 + int(c-'0')
	}
	_, err = c.in.Discard(size + 2)
	return err
}
