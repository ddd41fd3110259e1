package udist

import (
	"context"
	"errors"
	"net/http"

	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// transport implements http.RoundTripper for a plugin.
type transport struct{ plugin *Plugin }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL == nil {
		_ = closeBody(request)
		return nil, errors.New("udist: nil Request.URL")
	}
	return t.plugin.exchange(request, request.URL.RequestURI())
}

// exchange sends a request to target, and returns once the response's head has arrived.
func (p *Plugin) exchange(request *http.Request, target string) (*http.Response, error) {
	body, err := newContent(request)
	if err != nil {
		return nil, err
	}
	ctx, done := message.Context(request)
	response, err := p.attempt(ctx, request, target, body, done)
	if errors.Is(err, errFile) { // the session shares no more files, so this happens once
		response, err = p.attempt(ctx, request, target, body, done)
	}
	if err != nil {
		done()
		return nil, err
	}
	if p.config.FollowRedirects {
		if location := locationOf(request, target, response); location != nil {
			return fetch(p.config.Network, request, response, location)
		}
	}
	return response, nil
}

// attempt makes an exchange. The error is errFile if only a file stood in its way.
func (p *Plugin) attempt(
	ctx context.Context, request *http.Request, target string, body *content, done func(),
) (*http.Response, error) {
	session, exchange, err := p.open(ctx, request, target, body)
	if err != nil {
		_ = body.close()
		return nil, err
	}
	switch {
	case body.whole:
		_ = body.close()
	case body.shared == nil:
		go body.send(exchange)
	}
	head, err := exchange.Head()
	if body.shared != nil {
		if refusesFile(err) {
			exchange.Close()
			session.files.failed.Store(true)
			return nil, errFile
		}
		body.sent()
	}
	if err != nil {
		exchange.Close()
		return nil, explain(err, request.Method)
	}
	response := message.Response(request, head)
	if head.GetFile() == nil {
		response.Body = newBody(exchange, response, done)
		return response, nil
	}
	file, err := session.files.take(ctx, head.GetFile(), done)
	exchange.Release(err)
	if err != nil {
		return nil, errFile
	}
	response.Body = file
	return response, nil
}

// open starts an exchange. If nothing could be sent because the plugin has died or accepts no more requests, open tries
// the next plugin, if there is one.
func (p *Plugin) open(
	ctx context.Context, request *http.Request, target string, body *content,
) (*session, *link.Exchange, error) {
	var tried *session
	for {
		session, err := p.ready(ctx)
		if err != nil {
			return nil, nil, err
		}
		head := message.RequestHead(request, target, implementation)
		body.share(head, session.files)
		exchange, err := session.link.Open(ctx, head, body.small, body.whole || body.shared != nil)
		if err == nil {
			return session, exchange, nil
		}
		if spent, _ := session.link.Spent(); !spent || session == tried || ctx.Err() != nil {
			return nil, nil, explain(err, request.Method)
		}
		tried = session
	}
}

// explain converts an error of the link to one of this package.
func explain(err error, method string) error {
	var notSent *link.NotSentError
	var reset *link.ResetError
	var exhausted *link.ExhaustedError
	var local *wire.LocalError
	var known *Error
	var body *bodyError
	switch {
	case errors.As(err, &body):
		return body.err
	case errors.As(err, &reset):
		told := &Error{
			Kind: ErrReset, Code: codeName(reset.Code), Message: reset.Error(),
			Retryable: reset.Unprocessed && reset.Code != pluginv1.Code_CODE_INVALID_ARGUMENT,
		}
		if reset.Code == pluginv1.Code_CODE_DEADLINE_EXCEEDED {
			told.Err = context.DeadlineExceeded
		}
		return told
	case errors.As(err, &exhausted):
		return &Error{Kind: ErrGoingAway, Code: "UNAVAILABLE", Message: exhausted.Error(), Retryable: true}
	case errors.As(err, &local):
		return &Error{Kind: ErrReset, Code: "INVALID_ARGUMENT", Message: local.Message}
	case errors.As(err, &known):
		told := *known
		lost := known.Kind == ErrDied || known == errReplaced
		told.Retryable = lost && (errors.As(err, &notSent) || idempotent(method))
		return &told
	case errors.As(err, &notSent):
		return notSent.Err
	}
	return err
}

// idempotent reports whether a request can be repeated although the plugin has started to process it (RFC 9110,
// section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func closeBody(request *http.Request) error {
	if request.Body == nil {
		return nil
	}
	return request.Body.Close()
}
