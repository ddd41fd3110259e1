package udist

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Plugin is a registry in a child process. A Plugin and everything that its methods return are safe for concurrent
// use.
type Plugin struct {
	config   Config
	starting chan struct{} // holds one token while a new session is being started

	mu       sync.Mutex
	session  *session
	restarts []time.Time
	closed   bool
	closing  sync.Once
}

// Spawn starts a plugin and waits until it has accepted its configuration and is ready. ctx applies only to this
// wait: afterwards, the plugin runs until Close is called or this process ends.
//
// The error is an *Error of kind ErrNotFound, ErrHandshake or ErrDied, or the context's error.
func Spawn(ctx context.Context, config Config) (*Plugin, error) {
	config = config.withDefaults()
	session, err := start(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Plugin{config: config, starting: make(chan struct{}, 1), session: session}, nil
}

// RoundTripper returns a transport that sends all requests to the plugin, whatever the host in their URL. The
// registry uses that host only to refer to itself in responses.
//
// A response may arrive before the request's body has been sent completely; the rest of the body is then not
// read. If the body is an *os.File, or an io.LimitedReader or io.SectionReader of one, the plugin opens the file itself
// (see Config.Files), or the kernel copies it where possible. Canceling a request's context also stops the plugin's work on it. With Config.FollowRedirects, a blob
// may come from the store itself, in an ordinary response.
//
// Errors are of type *Error, or come from the request's context or body.
func (p *Plugin) RoundTripper() http.RoundTripper { return transport{p} }

// Client returns an HTTP client that uses RoundTripper.
func (p *Plugin) Client() *http.Client { return &http.Client{Transport: p.RoundTripper()} }

// PID returns the process ID of the plugin. If the plugin has been replaced, it is that of the newest one.
func (p *Plugin) PID() int { return p.current().process.PID() }

// Exited returns a channel that is closed when the plugin has exited. If the plugin has been replaced, the channel
// belongs to the newest one.
func (p *Plugin) Exited() <-chan struct{} { return p.current().gone }

// Wait waits for the plugin to exit. It returns nil after Close, and otherwise the reason why the plugin exited.
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

// Close waits until open responses have been read, aborts those that nobody reads, and stops the plugin. It closes
// the plugin's standard input, sends SIGTERM if the plugin has not exited after Config.CloseTimeout, and finally kills
// it. Close takes at most twice Config.CloseTimeout plus ten seconds, and no time if the plugin has already died.
//
// The error says that the plugin did not exit properly. Further calls do nothing and return nil.
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

// ready returns a session that accepts requests. It starts a new one if the last one has used up its stream IDs, or
// has died and the policy allows a restart.
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

// usable returns the current session, or nil if a new one must be started. count counts that as a restart.
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
	go old.close(errReplaced) // once its exchanges are finished
	if old == session {
		return nil, errClosed
	}
	return session, nil
}

// mayRestart reports whether the policy allows a restart, and counts it. Call it with mu locked.
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
