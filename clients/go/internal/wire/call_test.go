package wire

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// vectorPart is a message of a gRPC call.
type vectorPart struct {
	Head   *vectorBody
	Credit uint32
	End    *vectorBody
	Data   vectorBytes
}

func (p *vectorPart) request() *pluginv1.RoundTripRequest {
	part := &pluginv1.RoundTripRequest{Credit: p.Credit, End: p.end()}
	if p.Head != nil {
		part.Head = (&vectorFrame{Request: p.Head}).message().GetRequest()
	}
	return part
}

func (p *vectorPart) response() *pluginv1.RoundTripResponse {
	part := &pluginv1.RoundTripResponse{Credit: p.Credit, End: p.end()}
	if p.Head != nil {
		part.Head = (&vectorFrame{Response: p.Head}).message().GetResponse()
	}
	return part
}

func (p *vectorPart) end() *pluginv1.End {
	if p.End == nil {
		return nil
	}
	return (&vectorFrame{End: p.End}).message().GetEnd()
}

// decodeWhole parses a message of the plugin as a reader of bytes does.
func decodeWhole(message []byte) (part *pluginv1.RoundTripResponse, data []byte, err error) {
	fields, payload, ok := SplitPart(message[:min(len(message), 64)], len(message))
	if !ok {
		fields, payload = len(message), len(message)
	}
	if part, err = DecodePart(message[:fields]); err != nil {
		return nil, nil, err
	}
	data, part.Data = append(part.Data, message[payload:]...), nil
	return part, data, nil
}

func TestMessages(t *testing.T) {
	var vectors []struct {
		Name, From string
		Bytes      vectorBytes
		Message    *vectorPart
		Canonical  bool
	}
	load(t, "messages.json", &vectors)
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			if vector.From == "caller" {
				if vector.Canonical {
					written, err := EncodePart(vector.Message.request(), len(vector.Message.Data))
					if written = append(written, vector.Message.Data...); err != nil || !slices.Equal(written, vector.Bytes) {
						t.Errorf("wrote %x, %v, want %x", written, err, []byte(vector.Bytes))
					}
				}
				return
			}
			part, data, err := decodeWhole(vector.Bytes)
			if err != nil || !proto.Equal(part, vector.Message.response()) || !slices.Equal(data, vector.Message.Data) {
				t.Errorf("read %v, %d bytes, %v, want %v", part, len(data), err, vector.Message)
			}
		})
	}
}

// TestCalls runs the vectors as the caller: what the plugin sends is taken in, up to what it must not send.
func TestCalls(t *testing.T) {
	var vectors []struct {
		Name  string
		Steps []struct {
			From         string
			Bytes        vectorBytes
			Message      *vectorPart
			Status       string
			Event        json.RawMessage
			CallerCredit *int `json:"caller_credit"`
		}
	}
	load(t, "calls.json", &vectors)
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			var call *Call
			for i, step := range vector.Steps {
				failed := strings.HasPrefix(string(step.Event), "{")
				switch {
				case step.From == "caller" && failed:
					return // what a caller must not send
				case step.From == "caller" && call == nil:
					var err error
					part := step.Message.request()
					if call, err = NewCall(NewBudget(0), part.Head, int(part.Credit)); err != nil {
						t.Fatal(err)
					}
					call.Sent(len(step.Message.Data))
				case step.From == "caller" && step.Message != nil:
					call.Sent(len(step.Message.Data))
					call.stream.receive.credit += int(step.Message.Credit)
				case step.From == "caller": // half-closes: gRPC alone holds the response back
					call.stream.receive.credit = MaxCredit
				case step.From == "plugin":
					err := receiveStep(call, step.Bytes, step.Status)
					var fault *StreamError
					if failed != errors.As(err, &fault) || failed != strings.Contains(string(step.Event), codeOf(fault)) {
						t.Fatalf("step %d: got %v, want %s", i, err, step.Event)
					}
				}
				if want := step.CallerCredit; want != nil && call.Credit() != *want {
					t.Errorf("step %d leaves credit for %d bytes, want %d", i, call.Credit(), *want)
				}
			}
		})
	}
}

func codeOf(fault *StreamError) string {
	if fault == nil {
		return "{"
	}
	return strings.TrimPrefix(fault.Code.String(), "CODE_")
}

func receiveStep(call *Call, message []byte, status string) error {
	switch status {
	case "":
		part, data, err := decodeWhole(message)
		if err != nil {
			return err
		}
		return call.Receive(part, len(data))
	case "OK":
		return call.Status()
	}
	code := pluginv1.Code(pluginv1.Code_value["CODE_"+status])
	return &StreamError{Code: code, Message: "the plugin's own"}
}
