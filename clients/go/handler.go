package udist

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// ServeHTTP implements [http.Handler]. It sends r to the plugin and copies the response to w, which can also be an
// httptest.ResponseRecorder. Responses of unknown length are flushed as they arrive.
//
// If a request fails before the response has started, the status is 502, 503 or 504, with an error body as defined by
// the distribution-spec. If it fails later, ServeHTTP aborts the server's connection with [http.ErrAbortHandler].
func (p *Plugin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") && target != "*" {
		target = r.URL.RequestURI()
	}
	response, err := p.exchange(r, target)
	if err != nil {
		refuse(w, err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	header := w.Header()
	for name, values := range response.Header {
		header[name] = append(header[name], values...)
	}
	for name := range response.Trailer {
		header.Add("Trailer", name)
	}
	announced := len(response.Trailer)
	w.WriteHeader(response.StatusCode)
	if err := copyContent(w, response); err != nil {
		if r.Context().Value(http.ServerContextKey) != nil {
			panic(http.ErrAbortHandler)
		}
		return
	}
	for name, values := range response.Trailer {
		if len(response.Trailer) != announced {
			name = http.TrailerPrefix + name
		}
		header[name] = append(header[name], values...)
	}
}

// flusher flushes after every write.
type flusher struct {
	writer     http.ResponseWriter
	controller *http.ResponseController
}

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.writer.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.flush()
}

func (f flusher) flush() error {
	if err := f.controller.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// copyContent copies a response's content as it arrives.
func copyContent(w http.ResponseWriter, response *http.Response) error {
	if response.ContentLength >= 0 {
		_, err := io.Copy(w, response.Body)
		return err
	}
	flushing := flusher{w, http.NewResponseController(w)}
	if err := flushing.flush(); err != nil { // send the head
		return err
	}
	_, err := io.Copy(flushing, response.Body)
	return err
}

// refuse responds when the plugin did not.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	var known *Error
	if errors.As(err, &known) && known.Retryable {
		status = http.StatusServiceUnavailable
	}
	if timeout, ok := err.(interface{ Timeout() bool }); ok && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(w).Encode(map[string][]entry{"errors": {{"UNAVAILABLE", err.Error()}}})
}
