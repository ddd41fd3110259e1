package udist_test

import (
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// fakePlugin answers by the request's path, from one loop that reads and writes, so that it reads nothing
// while it cannot write.
func fakePlugin(in io.Reader, out io.Writer) {
	f := &fakeServer{in: in, out: out, streams: map[uint32]*fakeStream{}}
	f.settings = f.read().GetSettings()
	f.send(0, false, &pluginv1.Frame_Settings{Settings: &pluginv1.Settings{
		Versions: []uint32{1}, MaxStreams: 64, Capabilities: []string{"files"}, ProcessId: processID(f.settings),
		Implementation: f.settings.GetConfiguration(),
	}})
	for {
		frame := f.read()
		if request := frame.GetRequest(); request != nil {
			f.streams[frame.GetStreamId()] = &fakeStream{
				fakeServer: f, id: frame.GetStreamId(), request: request, credit: 256 << 10,
			}
		}
		if stream := f.streams[frame.GetStreamId()]; stream != nil {
			stream.act(frame)
		}
	}
}

type fakeServer struct {
	in       io.Reader
	out      io.Writer
	settings *pluginv1.Settings
	streams  map[uint32]*fakeStream

	lastReset pluginv1.Code // from the caller
}

func (f *fakeServer) read() *pluginv1.Frame {
	prefix := make([]byte, 5)
	if _, err := io.ReadFull(f.in, prefix); err != nil {
		os.Exit(0)
	}
	message := make([]byte, binary.BigEndian.Uint32(prefix[1:]))
	frame := &pluginv1.Frame{}
	if _, err := io.ReadFull(f.in, message); err != nil || proto.Unmarshal(message, frame) != nil {
		os.Exit(76)
	}
	return frame
}

func (f *fakeServer) send(id uint32, end bool, body any) {
	frame := &pluginv1.Frame{StreamId: id, EndStream: end}
	switch body := body.(type) {
	case *pluginv1.Frame_Settings:
		frame.Body = body
	case *pluginv1.Frame_Response:
		frame.Body = body
	case *pluginv1.Frame_Data:
		frame.Body = body
	case *pluginv1.Frame_End:
		frame.Body = body
	case *pluginv1.Frame_Reset_:
		frame.Body = body
	case *pluginv1.Frame_WindowUpdate:
		frame.Body = body
	case *pluginv1.Frame_Ping:
		frame.Body = body
	case *pluginv1.Frame_GoAway:
		frame.Body = body
	}
	message, err := proto.Marshal(frame)
	if err != nil {
		os.Exit(70)
	}
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	if _, err := f.out.Write(append(prefix, message...)); err != nil {
		os.Exit(1)
	}
}

// processID is the fake plugin's, unless its configuration names another.
func processID(settings *pluginv1.Settings) uint32 {
	if other, err := strconv.ParseUint(settings.GetConfiguration(), 10, 32); err == nil {
		return uint32(other)
	}
	return uint32(os.Getpid())
}

// fakeStream is one exchange; credit is what it may send, waiting what it has not, end what comes then.
type fakeStream struct {
	*fakeServer
	id      uint32
	request *pluginv1.Request
	credit  int
	waiting [][]byte
	end     *pluginv1.End
	held    *os.File // for the caller
}

func (s *fakeStream) act(frame *pluginv1.Frame) {
	path, argument, _ := strings.Cut(strings.TrimPrefix(s.request.GetTarget(), "/"), "/")
	begins := frame.GetRequest() != nil
	switch path {
	case "echo":
		s.echo(frame, begins)
	case "early":
		if begins {
			s.head(413, "content-length", "9")
			s.send(s.id, true, &pluginv1.Frame_Data{Data: []byte("too large")})
			s.reset(pluginv1.Code_CODE_OK_UNSPECIFIED, false)
		}
	case "sink":
		s.grant(len(frame.GetData()))
		if frame.GetEndStream() || frame.GetEnd() != nil {
			s.head(204)
		}
	case "reset":
		if begins && argument == "content" {
			s.head(200)
			s.send(s.id, false, &pluginv1.Frame_Data{Data: []byte("some")})
		}
		if begins {
			s.reset(pluginv1.Code(pluginv1.Code_value[s.field("code")]), argument == "unprocessed")
		}
	case "fields":
		if begins {
			s.describe()
		}
	case "ping":
		s.send(0, false, &pluginv1.Frame_Ping{Ping: &pluginv1.Ping{Token: 7}})
		if pong := s.read().GetPing(); pong.GetAck() && pong.GetToken() == 7 {
			s.head(204)
		}
	case "stuck":
		s.stuck(frame, begins)
	case "v2":
		if begins {
			s.locate()
		}
	case "go-away":
		if begins {
			s.send(0, false, &pluginv1.Frame_GoAway{GoAway: &pluginv1.GoAway{LastStreamId: s.id - 1, Message: "enough"}})
		}
	case "file":
		s.file(frame, begins, argument)
	}
}

// echo gives back content as credit allows, and then the trailers.
func (s *fakeStream) echo(frame *pluginv1.Frame, begins bool) {
	if begins {
		s.head(200, "trailer", "x-checksum")
	}
	if data := frame.GetData(); len(data) > 0 {
		s.grant(len(data))
		s.waiting = append(s.waiting, data)
	}
	s.credit += int(frame.GetWindowUpdate().GetCredit())
	for len(s.waiting) > 0 && s.credit > 0 {
		part := s.waiting[0][:min(len(s.waiting[0]), s.credit)]
		s.send(s.id, false, &pluginv1.Frame_Data{Data: part})
		s.credit -= len(part)
		if s.waiting[0] = s.waiting[0][len(part):]; len(s.waiting[0]) == 0 {
			s.waiting = s.waiting[1:]
		}
	}
	if endless := strings.HasSuffix(s.request.GetTarget(), "/endless"); endless {
		return
	}
	if frame.GetEnd() != nil || frame.GetEndStream() {
		s.end = &pluginv1.End{Trailers: frame.GetEnd().GetTrailers()}
	}
	if s.end != nil && len(s.waiting) == 0 {
		s.send(s.id, false, &pluginv1.Frame_End{End: s.end})
		delete(s.streams, s.id)
	}
}

// grant gives credit for as much as was taken.
func (s *fakeStream) grant(length int) {
	if length > 0 {
		s.send(s.id, false, &pluginv1.Frame_WindowUpdate{WindowUpdate: &pluginv1.WindowUpdate{Credit: uint32(length)}})
	}
}

// stuck answers at once, and at the first content, of whichever stream, writes more than a pipe holds.
func (s *fakeStream) stuck(frame *pluginv1.Frame, begins bool) {
	if begins {
		s.head(200)
	}
	if len(frame.GetData()) > 0 && s.credit > 0 {
		s.send(s.id, false, &pluginv1.Frame_Data{Data: make([]byte, s.credit)})
		s.credit = 0
	}
	if frame.GetEndStream() && !begins {
		s.send(s.id, true, &pluginv1.Frame_Data{})
	}
}

// locate answers for a blob as a registry whose store has URLs does.
func (s *fakeStream) locate() {
	if !slices.Contains(s.settings.GetCapabilities(), "redirect") {
		s.head(204, "x-from", "the plugin")
		return
	}
	digest := s.request.GetTarget()[strings.LastIndex(s.request.GetTarget(), "/")+1:]
	s.head(307, "location", s.field("x-location"), "docker-content-digest", digest, "etag", `"`+digest+`"`, "content-length", "0")
	s.send(s.id, true, &pluginv1.Frame_Data{})
}

// describe answers with what the request was, as fields.
func (s *fakeStream) describe() {
	fields := []string{
		"x-method", s.request.GetMethod(), "x-scheme", s.request.GetScheme(),
		"x-authority", s.request.GetAuthority(), "x-target", s.request.GetTarget(),
	}
	if s.request.GetTimeoutMs() > 0 {
		fields = append(fields, "x-timeout", "some")
	}
	for _, field := range s.request.GetFields() {
		fields = append(fields, "got-"+field.GetName(), string(field.GetValue()))
	}
	s.head(200, fields...)
	s.send(s.id, false, &pluginv1.Frame_End{End: &pluginv1.End{}})
}

func (s *fakeStream) head(status uint32, fields ...string) {
	response := &pluginv1.Response{Status: status}
	for i := 0; i < len(fields); i += 2 {
		response.Fields = append(response.Fields, &pluginv1.Field{Name: fields[i], Value: []byte(fields[i+1])})
	}
	s.send(s.id, status == 204, &pluginv1.Frame_Response{Response: response})
}

func (s *fakeStream) reset(code pluginv1.Code, unprocessed bool) {
	s.send(s.id, false, &pluginv1.Frame_Reset_{Reset_: &pluginv1.Reset{Code: code, Unprocessed: unprocessed}})
}

func (s *fakeStream) field(name string) string {
	for _, field := range s.request.GetFields() {
		if field.GetName() == name {
			return string(field.GetValue())
		}
	}
	return ""
}
