package goplugin

import (
	"io"
	"net/http"
	"sync"

	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
)

// body is a response's content. Only one goroutine reads at a time; any may close it.
type body struct {
	call     *call
	response *http.Response
	reading  sync.Mutex
	part     *incoming // the message that is being read, or nil
	ended    error     // io.EOF after the content, or why there is no more of it
}

func newBody(c *call, response *http.Response, first *incoming) *body {
	b := &body{call: c, response: response}
	b.take(first)
	return b
}

// Read reads content. The content is complete if it ends with io.EOF.
func (b *body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	for {
		if len(p) == 0 || b.ended != nil && b.part == nil {
			return 0, b.ended
		}
		if b.part != nil {
			n, _ := b.part.data.Read(p)
			if b.part.data.Remaining() == 0 {
				b.drop()
			}
			b.call.consume(n)
			return n, nil
		}
		part, err := b.call.receive()
		if err != nil {
			b.end(err)
			continue
		}
		b.take(part)
	}
}

// WriteTo implements io.WriterTo with buffers of the right size.
func (b *body) WriteTo(w io.Writer) (int64, error) { return message.Copy(w, b) }

// take notes what a message has. The end of the content is known when the call's status has arrived.
func (b *body) take(part *incoming) {
	if part.data != nil {
		b.part = part
	}
	if end := part.part.End; end != nil {
		b.addTrailers(end)
	}
}

func (b *body) addTrailers(end *pluginv1.End) {
	if len(end.GetTrailers()) == 0 {
		return
	}
	if b.response.Trailer == nil {
		b.response.Trailer = http.Header{}
	}
	message.AddFields(b.response.Trailer, end.GetTrailers())
}

func (b *body) end(err error) {
	if err != io.EOF {
		err = b.call.explain(err)
	}
	b.ended = err
	b.call.close()
}

func (b *body) drop() {
	_ = b.part.data.Close()
	b.part = nil
}

// Close discards the unread rest; the plugin stops sending it.
func (b *body) Close() error {
	b.call.close() // ends a Read that waits
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.part != nil {
		b.drop()
	}
	if b.ended == nil {
		b.ended = http.ErrBodyReadAfterClose
	}
	return nil
}
