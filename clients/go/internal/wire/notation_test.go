package wire

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// The golden vectors of tests/vectors (its README.md tells their notation).

type vectorBytes []byte

func (b *vectorBytes) UnmarshalJSON(text []byte) error {
	var pieces []json.RawMessage
	if err := json.Unmarshal(text, &pieces); err != nil {
		return err
	}
	for _, piece := range pieces {
		repeated := struct {
			Repeat string
			Times  int
		}{Times: 1}
		if err := json.Unmarshal(piece, &repeated.Repeat); err != nil {
			if err := json.Unmarshal(piece, &repeated); err != nil {
				return err
			}
		}
		unit, err := hex.DecodeString(repeated.Repeat)
		if err != nil {
			return err
		}
		*b = append(*b, slices.Repeat(unit, repeated.Times)...)
	}
	return nil
}

type vectorFields [][2]string

func (f vectorFields) message() (fields []*pluginv1.Field) {
	for _, pair := range f {
		value := []byte{}
		for _, r := range pair[1] {
			value = append(value, byte(r))
		}
		fields = append(fields, &pluginv1.Field{Name: pair[0], Value: value})
	}
	return fields
}

type vectorBody struct {
	Versions          []uint32
	MaxStreams        uint32 `json:"max_streams"`
	Capabilities      []string
	Implementation    string
	ProcessID         uint32 `json:"process_id"`
	Configuration     *string
	Environment       *map[string]string
	ConfigurationName string `json:"configuration_name"`
	Warnings          []string
	Method            string
	Scheme            string
	Authority         string
	Target            string
	Fields            vectorFields
	Trailers          vectorFields
	TimeoutMs         uint32 `json:"timeout_ms"`
	AcceptFile        bool   `json:"accept_file"`
	File              *vectorFile
	InitialCredit     uint32 `json:"initial_credit"`
	Status            uint32
	Credit            uint32
	Code              string
	Message           string
	Unprocessed       bool
	Token             uint32
	Ack               bool
	LastStreamID      uint32 `json:"last_stream_id"`
	Level             string
}

// vectorFile has numbers as text, because not every JSON reader has 64 bits for them.
type vectorFile struct {
	Fd     uint32
	Offset uint64 `json:",string"`
	Length uint64 `json:",string"`
	Device uint64 `json:",string"`
	Inode  uint64 `json:",string"`
	Size   uint64 `json:",string"`
}

func (f *vectorFile) message() *pluginv1.File {
	if f == nil {
		return nil
	}
	return &pluginv1.File{
		Fd: f.Fd, Offset: f.Offset, Length: f.Length, Device: f.Device, Inode: f.Inode, Size: f.Size,
	}
}

func (b *vectorBody) code() pluginv1.Code {
	if b.Code == "" || b.Code == "OK" {
		return pluginv1.Code_CODE_OK_UNSPECIFIED
	}
	return pluginv1.Code(pluginv1.Code_value["CODE_"+b.Code])
}

type vectorFrame struct {
	StreamID     uint32 `json:"stream_id"`
	EndStream    bool   `json:"end_stream"`
	Settings     *vectorBody
	Request      *vectorBody
	Response     *vectorBody
	End          *vectorBody
	WindowUpdate *vectorBody `json:"window_update"`
	Reset        *vectorBody
	Ping         *vectorBody
	GoAway       *vectorBody `json:"go_away"`
	Log          *vectorBody
	Data         *vectorBytes
}

func (f *vectorFrame) message() *pluginv1.Frame {
	frame := &pluginv1.Frame{StreamId: f.StreamID, EndStream: f.EndStream}
	switch {
	case f.Settings != nil:
		b := f.Settings
		settings := &pluginv1.Settings{
			Versions: b.Versions, MaxStreams: b.MaxStreams, Capabilities: b.Capabilities,
			Implementation: b.Implementation, ProcessId: b.ProcessID, Configuration: b.Configuration,
			ConfigurationName: b.ConfigurationName, Warnings: b.Warnings,
		}
		if b.Environment != nil {
			settings.Environment = &pluginv1.Environment{Variables: *b.Environment}
		}
		frame.Body = &pluginv1.Frame_Settings{Settings: settings}
	case f.Request != nil:
		b := f.Request
		frame.Body = &pluginv1.Frame_Request{Request: &pluginv1.Request{
			Method: b.Method, Scheme: b.Scheme, Authority: b.Authority, Target: b.Target,
			Fields: b.Fields.message(), TimeoutMs: b.TimeoutMs,
			AcceptFile: b.AcceptFile, File: b.File.message(), InitialCredit: b.InitialCredit,
		}}
	case f.Response != nil:
		b := f.Response
		frame.Body = &pluginv1.Frame_Response{Response: &pluginv1.Response{
			Status: b.Status, Fields: b.Fields.message(), File: b.File.message(),
		}}
	case f.End != nil:
		frame.Body = &pluginv1.Frame_End{End: &pluginv1.End{Trailers: f.End.Trailers.message()}}
	case f.WindowUpdate != nil:
		frame.Body = &pluginv1.Frame_WindowUpdate{WindowUpdate: &pluginv1.WindowUpdate{Credit: f.WindowUpdate.Credit}}
	case f.Reset != nil:
		b := f.Reset
		frame.Body = &pluginv1.Frame_Reset_{Reset_: &pluginv1.Reset{
			Code: b.code(), Message: b.Message, Unprocessed: b.Unprocessed,
		}}
	case f.Ping != nil:
		frame.Body = &pluginv1.Frame_Ping{Ping: &pluginv1.Ping{Token: f.Ping.Token, Ack: f.Ping.Ack}}
	case f.GoAway != nil:
		b := f.GoAway
		frame.Body = &pluginv1.Frame_GoAway{GoAway: &pluginv1.GoAway{
			LastStreamId: b.LastStreamID, Code: b.code(), Message: b.Message,
		}}
	case f.Log != nil:
		b := f.Log
		frame.Body = &pluginv1.Frame_Log{Log: &pluginv1.Log{Level: b.Level, Message: b.Message, Fields: b.Fields.message()}}
	case f.Data != nil:
		frame.Body = &pluginv1.Frame_Data{Data: *f.Data}
	}
	return frame
}

func load(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../../tests/vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
