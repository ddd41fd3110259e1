package trace

import (
	"strings"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// frame is a frame in the notation of the test vectors, without what must not be shown. A length stands for each text
// that is left out.
type frame struct {
	StreamID     uint32        `json:"stream_id,omitempty"`
	EndStream    bool          `json:"end_stream,omitempty"`
	Settings     *settings     `json:"settings,omitempty"`
	Request      *request      `json:"request,omitempty"`
	Response     *response     `json:"response,omitempty"`
	End          *end          `json:"end,omitempty"`
	WindowUpdate *windowUpdate `json:"window_update,omitempty"`
	Reset        *reset        `json:"reset,omitempty"`
	Ping         *ping         `json:"ping,omitempty"`
	GoAway       *goAway       `json:"go_away,omitempty"`
	Log          *logRecord    `json:"log,omitempty"`
	Data         *int          `json:"data,omitempty"`
}

type settings struct {
	Versions          []uint32        `json:"versions,omitempty"`
	MaxStreams        uint32          `json:"max_streams,omitempty"`
	Capabilities      []string        `json:"capabilities,omitempty"`
	Implementation    string          `json:"implementation,omitempty"`
	ProcessID         uint32          `json:"process_id,omitempty"`
	Configuration     *int            `json:"configuration,omitempty"`
	Environment       *map[string]int `json:"environment,omitempty"`
	ConfigurationName int             `json:"configuration_name,omitempty"`
	Warnings          []int           `json:"warnings,omitempty"`
}

type request struct {
	Method        string   `json:"method,omitempty"`
	Scheme        string   `json:"scheme,omitempty"`
	Authority     string   `json:"authority,omitempty"`
	Target        string   `json:"target,omitempty"`
	Fields        [][2]any `json:"fields,omitempty"`
	TimeoutMs     uint32   `json:"timeout_ms,omitempty"`
	Accepts       bool     `json:"accept_file,omitempty"`
	File          *file    `json:"file,omitempty"`
	InitialCredit uint32   `json:"initial_credit,omitempty"`
}

type response struct {
	Status uint32   `json:"status,omitempty"`
	Fields [][2]any `json:"fields,omitempty"`
	File   *file    `json:"file,omitempty"`
}

type file struct {
	Fd     uint32 `json:"fd,omitempty"`
	Offset uint64 `json:"offset,omitempty,string"`
	Length uint64 `json:"length,omitempty,string"`
	Device uint64 `json:"device,omitempty,string"`
	Inode  uint64 `json:"inode,omitempty,string"`
	Size   uint64 `json:"size,omitempty,string"`
}

type end struct {
	Trailers [][2]any `json:"trailers,omitempty"`
}

type windowUpdate struct {
	Credit uint32 `json:"credit,omitempty"`
}

type reset struct {
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	Unprocessed bool   `json:"unprocessed,omitempty"`
}

type ping struct {
	Token uint32 `json:"token,omitempty"`
	Ack   bool   `json:"ack,omitempty"`
}

type goAway struct {
	LastStreamID uint32 `json:"last_stream_id,omitempty"`
	Code         string `json:"code,omitempty"`
	Message      int    `json:"message,omitempty"`
}

type logRecord struct {
	Level   string   `json:"level,omitempty"`
	Message int      `json:"message,omitempty"`
	Fields  [][2]any `json:"fields,omitempty"`
}

// notationOf returns what is shown of a frame.
func notationOf(of *pluginv1.Frame) frame {
	shown := frame{StreamID: of.GetStreamId(), EndStream: of.GetEndStream()}
	switch body := of.GetBody().(type) {
	case *pluginv1.Frame_Settings:
		shown.Settings = settingsOf(body.Settings)
	case *pluginv1.Frame_Request:
		head := body.Request
		shown.Request = &request{
			Method: head.GetMethod(), Scheme: head.GetScheme(), Authority: head.GetAuthority(),
			Target: shownURL(head.GetTarget()), Fields: fieldsOf(head.GetFields()), TimeoutMs: head.GetTimeoutMs(),
			Accepts: head.GetAcceptFile(), File: fileOf(head.GetFile()), InitialCredit: head.GetInitialCredit(),
		}
	case *pluginv1.Frame_Response:
		head := body.Response
		shown.Response = &response{
			Status: head.GetStatus(), Fields: fieldsOf(head.GetFields()), File: fileOf(head.GetFile()),
		}
	case *pluginv1.Frame_End:
		shown.End = &end{Trailers: fieldsOf(body.End.GetTrailers())}
	case *pluginv1.Frame_WindowUpdate:
		shown.WindowUpdate = &windowUpdate{Credit: body.WindowUpdate.GetCredit()}
	case *pluginv1.Frame_Reset_:
		shown.Reset = &reset{
			Code: codeOf(body.Reset_.GetCode()), Message: shownMessage(body.Reset_.GetMessage()),
			Unprocessed: body.Reset_.GetUnprocessed(),
		}
	case *pluginv1.Frame_Ping:
		shown.Ping = &ping{Token: body.Ping.GetToken(), Ack: body.Ping.GetAck()}
	case *pluginv1.Frame_GoAway:
		shown.GoAway = &goAway{
			LastStreamID: body.GoAway.GetLastStreamId(), Code: codeOf(body.GoAway.GetCode()),
			Message: len(body.GoAway.GetMessage()),
		}
	case *pluginv1.Frame_Log:
		shown.Log = &logRecord{
			Level: body.Log.GetLevel(), Message: len(body.Log.GetMessage()), Fields: fieldsOf(body.Log.GetFields()),
		}
	case *pluginv1.Frame_Data:
		length := len(body.Data)
		shown.Data = &length
	}
	return shown
}

func settingsOf(of *pluginv1.Settings) *settings {
	shown := &settings{
		Versions: of.GetVersions(), MaxStreams: of.GetMaxStreams(), Capabilities: of.GetCapabilities(),
		Implementation: of.GetImplementation(), ProcessID: of.GetProcessId(),
		ConfigurationName: len(of.GetConfigurationName()),
	}
	if of.Configuration != nil {
		length := len(of.GetConfiguration())
		shown.Configuration = &length
	}
	if of.Environment != nil {
		lengths := map[string]int{}
		for name, value := range of.GetEnvironment().GetVariables() {
			lengths[name] = len(value)
		}
		shown.Environment = &lengths
	}
	for _, warning := range of.GetWarnings() {
		shown.Warnings = append(shown.Warnings, len(warning))
	}
	return shown
}

func fieldsOf(of []*pluginv1.Field) (shown [][2]any) {
	for _, field := range of {
		shown = append(shown, [2]any{field.GetName(), shownValue(field.GetName(), field.GetValue())})
	}
	return shown
}

func fileOf(of *pluginv1.File) *file {
	if of == nil {
		return nil
	}
	return &file{of.GetFd(), of.GetOffset(), of.GetLength(), of.GetDevice(), of.GetInode(), of.GetSize()}
}

func codeOf(code pluginv1.Code) string {
	if code == pluginv1.Code_CODE_OK_UNSPECIFIED {
		return ""
	}
	return strings.TrimPrefix(code.String(), "CODE_")
}
