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
	config   Config
	starting chan struct{} // whoever starts a new session holds its one token

	mu       sync.Mutex
	session  *session
	restarts []time.Time
	closed   bool
	closing  sync.Once
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
	return &Plugin{config: config, starting: make(chan struct{}, 1), session: session}, nil
}

// RoundTripper sends requests to the plugin, whatever host their URL names; the host is only what the
// registry calls itself in its answers.
//
// Responses may come before a request's body has been sent; then the rest is not read. A body that is an
// *os.File, or a limited or section reader of one, is moved by the kernel where that is possible. The end of
// a request's context ends the plugin's work on it. With Config.FollowRedirects a blob may come from the store
// itself, as the same response. Errors are *Error, or the context's.
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
func (p *Plugin) Close() (err error) {
	p.mu.Lock()
	session := p.session
	p.closed = true
	p.mu.Unlock()
	p.closing.Do(func() { err = session.end() })
	return err
}

func (p *Plugin) current() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session
}

// ready is a session that takes requests: a new one if the last has no stream left, or has died and the
// policy allows it.
func (p *Plugin) ready(ctx context.Context) (*session, error) {
	if session, err := p.usable(false); session != nil || err != nil {
		return session, err
	}
	select {
	case p.starting <- struct{}{}:
		defer func() { <-p.starting }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if session, err := p.usable(true); session != nil || err != nil {
		return session, err
	}
	session, err := start(ctx, p.config)
	if err != nil {
		return nil, err
	}
	return p.replaceBy(session)
}

// usable is the session to use, nil if it takes a new one; count it as a restart if so.
func (p *Plugin) usable(count bool) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	spent, used := p.session.link.Spent()
	if used || spent && p.mayRestart(count) {
		return nil, nil
	}
	return p.session, nil
}

func (p *Plugin) replaceBy(session *session) (*session, error) {
	p.mu.Lock()
	old := p.session
	if p.closed {
		old = session
	} else {
		p.session = session
	}
	p.mu.Unlock()
	go old.close(errReplaced) // lets its exchanges finish
	if old == session {
		return nil, errClosed
	}
	return session, nil
}

// mayRestart tells whether the policy allows a restart, and counts it. Under mu.
func (p *Plugin) mayRestart(count bool) bool {
	policy, now := p.config.Restart, time.Now()
	if policy == nil {
		return false
	}
	for len(p.restarts) > 0 && now.Sub(p.restarts[0]) > policy.Interval {
		p.restarts = p.restarts[1:]
	}
	if len(p.restarts) >= policy.Max {
		return false
	}
	if count {
		p.restarts = append(p.restarts, now)
	}
	return true
}
