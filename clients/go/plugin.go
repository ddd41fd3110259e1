package udist

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Plugin is a registry in a child process. It is safe for any number of goroutines, and so is everything
// that it hands out.
type Plugin struct {
	config Config

	mu       sync.Mutex
	session  *session
	restarts []time.Time
	closed   bool
}

// Spawn starts a plugin and waits until it has accepted its configuration and is ready. The end of ctx ends
// the wait, and has no effect afterwards: the plugin lives until Close, or as long as this process.
//
// The error is an *Error of kind ErrNotFound, ErrHandshake or ErrDied, or the context's.
func Spawn(ctx context.Context, config Config) (*Plugin, error) {
	config = config.withDefaults()
	session, err := start(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Plugin{config: config, session: session}, nil
}

// RoundTripper sends requests to the plugin, whatever host their URL names; the host is only what the
// registry calls itself in its answers.
//
// Responses may come before a request's body has been sent; then the rest is not read. A body that is an
// *os.File, or a limited or section reader of one, is moved by the kernel where that is possible. The end of
// a request's context ends the plugin's work on it. Errors are *Error, or the context's.
func (p *Plugin) RoundTripper() http.RoundTripper { return transport{p} }

// Client is an HTTP client over RoundTripper.
func (p *Plugin) Client() *http.Client { return &http.Client{Transport: p.RoundTripper()} }

// PID is the process id of the plugin, of the last one started if there have been several.
func (p *Plugin) PID() int { return p.current().process.PID() }

// Exited is closed once the plugin has ended: the last one started, if there have been several.
func (p *Plugin) Exited() <-chan struct{} { return p.current().gone }

// Wait returns once Exited is closed: nil after Close, else why the plugin has ended.
func (p *Plugin) Wait() error {
	session := p.current()
	<-session.gone
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	return session.link.Err()
}

// Close waits for the responses that are still being read, gives up those that are not, and ends the plugin:
// by the end of its input, after Config.CloseTimeout by a signal, and at last by force. Twice is once.
//
// The error is that of a plugin which did not end as it should.
func (p *Plugin) Close() error {
	p.mu.Lock()
	session, closed := p.session, p.closed
	p.closed = true
	p.mu.Unlock()
	if closed {
		<-session.gone
		return nil
	}
	died := session.link.Err()
	state := session.close()
	if died != nil || state.Success() {
		return nil // what a plugin died of was told before
	}
	return &Error{
		Kind: ErrDied, Code: "UNAVAILABLE", State: state, Stderr: session.process.Tail(),
		Message: "the plugin was closed and " + ending(state),
	}
}

func (p *Plugin) current() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session
}

// ready is a session that takes requests, a new one if the policy allows it.
func (p *Plugin) ready(ctx context.Context) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.config.Restart == nil || !p.session.link.Spent() || !p.mayRestart() {
		return p.session, nil
	}
	session, err := start(ctx, p.config)
	if err != nil {
		return nil, err
	}
	go p.session.close()
	p.session = session
	return session, nil
}

// mayRestart counts restarts. Under mu.
func (p *Plugin) mayRestart() bool {
	policy, now := p.config.Restart, time.Now()
	for len(p.restarts) > 0 && now.Sub(p.restarts[0]) > policy.Interval {
		p.restarts = p.restarts[1:]
	}
	if len(p.restarts) >= policy.Max {
		return false
	}
	p.restarts = append(p.restarts, now)
	return true
}
