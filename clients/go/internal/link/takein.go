package link

import (
	"errors"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// takeIn handles a frame that is not canonical data. Call it with mu locked.
func (l *Link) takeIn(frame *pluginv1.Frame) error {
	if data, ok := frame.GetBody().(*pluginv1.Frame_Data); ok {
		stream, err := l.receiveData(frame.GetStreamId(), len(data.Data), frame.GetEndStream())
		if stream != nil {
			stream.Owner.(*Exchange).put(data.Data)
		}
		return err
	}
	event, stream, err := l.conn.Receive(frame)
	if err := l.costStream(err); err != nil {
		return err
	}
	if err == nil && stream != nil {
		stream.Owner.(*Exchange).take(event, frame)
	}
	switch event {
	case wire.GoAwayReceived:
		return l.goAway(frame.GetGoAway())
	case wire.Nothing:
		if l.conn.OwesControl() {
			l.flushElsewhere()
		}
	}
	return nil
}

// takeData handles the head of a data frame. Call it with mu locked.
func (l *Link) takeData(head wire.DataHead) error {
	stream, err := l.receiveData(head.StreamID, head.Length, head.EndStream)
	if err != nil {
		return err
	}
	l.current, l.pending = nil, head.Length
	if stream != nil {
		l.current = stream.Owner.(*Exchange)
		l.current.expect(head.Length)
	}
	return nil
}

// receiveData returns the stream to which a payload belongs, or nil if it is dropped. Call it with mu locked.
func (l *Link) receiveData(id uint32, length int, end bool) (*wire.Stream, error) {
	stream, err := l.conn.ReceiveData(id, length, end)
	if err != nil {
		stream = nil
	}
	return stream, l.costStream(err)
}

// costStream ends one stream if err concerns only that stream, and returns any other error. Call it with mu locked.
func (l *Link) costStream(err error) error {
	var fault *wire.StreamError
	if !errors.As(err, &fault) {
		return err
	}
	exchange := fault.Stream.Owner.(*Exchange)
	exchange.faulty = true
	exchange.fail(&ResetError{Code: fault.Code, Message: fault.Message})
	if l.conn.OwesControl() {
		l.flushElsewhere()
	}
	return nil
}

// readPayload reads part of the current payload. Call it with mu locked; it unlocks mu during the read.
func (l *Link) readPayload() error {
	exchange := l.current
	var target []byte
	if exchange != nil {
		target = exchange.claim(l.pending)
	} else {
		target = l.scratch(l.pending)
	}
	l.mu.Unlock()
	n, err := l.in.payload(target)
	l.mu.Lock()
	l.pending -= n
	if exchange != nil {
		exchange.settle(n)
	}
	if errors.Is(err, errInterrupted) {
		l.calm()
		return nil
	}
	if err != nil && n == 0 {
		return wire.Truncated(l.pending)
	}
	return nil
}

// scratch returns a buffer for dropped payloads. Call it with mu locked; only the reader uses it.
func (l *Link) scratch(length int) []byte {
	if l.dropped == nil {
		l.dropped = make([]byte, 64<<10)
	}
	return l.dropped[:min(len(l.dropped), length)]
}

func (l *Link) goAway(away *pluginv1.GoAway) error {
	if l.conn.Peer() == nil {
		return &GoAwayError{Code: away.GetCode(), Message: away.GetMessage()}
	}
	refused := &ResetError{Code: pluginv1.Code_CODE_UNAVAILABLE, Message: away.GetMessage(), Unprocessed: true}
	l.conn.Streams(func(stream *wire.Stream) {
		if stream.ID > away.GetLastStreamId() {
			stream.Owner.(*Exchange).fail(refused)
		}
	})
	return nil
}
