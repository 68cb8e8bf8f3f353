package oidctest

import (
	"net/http"
	"sync"
)

// Fault is how an endpoint misbehaves.
type Fault struct {
	// Status is the answer; 0: the connection is closed without one.
	Status int
	// Error is an OAuth error code for the body: "invalid_grant".
	Error string
	// Times is how many requests it meets; 0: all, until Heal.
	Times int
}

// fault is a Fault at work, or a Hold.
type fault struct {
	Fault
	hold *Hold
}

// Hold keeps requests waiting.
type Hold struct {
	// Arrived gets a value for each request that waits.
	Arrived <-chan struct{}

	arrived chan struct{}
	gate    chan struct{}
	once    sync.Once
}

// Release lets the requests go on.
func (h *Hold) Release() { h.once.Do(func() { close(h.gate) }) }

// Fail has an endpoint fail.
func (p *Provider) Fail(endpoint string, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[endpoint] = &fault{Fault: f}
}

// Hold has an endpoint's requests wait, until Release: a slow provider.
func (p *Provider) Hold(endpoint string) *Hold {
	h := &Hold{arrived: make(chan struct{}, 1024), gate: make(chan struct{})}
	h.Arrived = h.arrived
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[endpoint] = &fault{hold: h}
	return h
}

// Heal takes a Fail or a Hold of an endpoint away.
func (p *Provider) Heal(endpoint string) {
	p.mu.Lock()
	f := p.faults[endpoint]
	delete(p.faults, endpoint)
	p.mu.Unlock()
	if f != nil && f.hold != nil {
		f.hold.Release()
	}
}

// HealAll is Heal for each endpoint, and Down(false).
func (p *Provider) HealAll() {
	p.Down(false)
	p.mu.Lock()
	var endpoints []string
	for e := range p.faults {
		endpoints = append(endpoints, e)
	}
	p.mu.Unlock()
	for _, e := range endpoints {
		p.Heal(e)
	}
}

// Down has all connections closed without an answer, as long as it is on.
func (p *Provider) Down(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = on
}

// Calls is how many requests an endpoint has had, those that failed among them.
func (p *Provider) Calls(endpoint string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[endpoint]
}

// meets counts a request and returns what it meets with, nil for nothing.
func (p *Provider) meets(endpoint string) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[endpoint]++
	if p.down {
		return &fault{}
	}
	f := p.faults[endpoint]
	if f != nil && f.Times > 0 {
		if f.Times--; f.Times == 0 {
			delete(p.faults, endpoint)
		}
	}
	return f
}

func (p *Provider) faulty(endpoint string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch f := p.meets(endpoint); {
		case f == nil:
		case f.hold != nil:
			f.hold.arrived <- struct{}{}
			select {
			case <-f.hold.gate:
			case <-r.Context().Done():
				return
			}
		case f.Status == 0:
			panic(http.ErrAbortHandler)
		case f.Error != "":
			oauthError(w, f.Status, f.Error, "told to fail")
			return
		default:
			http.Error(w, "told to fail", f.Status)
			return
		}
		next(w, r)
	}
}
