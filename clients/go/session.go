package udist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"udist.dev/plugin/udist/internal/child"
	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/trace"
	"udist.dev/plugin/udist/internal/wire"
)

// Version of this library.
const Version = "0.1.0"

const (
	implementation = "udist-go/" + Version

	// dying is how long a plugin may take to exit after closing its output, before it is reported as hung.
	dying = 2 * time.Second
	// parting is how long Close waits for a writer to finish.
	parting = time.Second
)

// session is one spawned plugin and the link to it.
type session struct {
	config  Config
	command []string
	found   bool // the library chose the command
	log     *pluginLog
	process *child.Process
	link    *link.Link
	files   *peerFiles    // nil if none are shared
	gone    chan struct{} // closed once the plugin has exited and all its output has been read
}

// start spawns a plugin and waits until it is ready.
func start(ctx context.Context, config Config) (*session, error) {
	s := &session{config: config, command: config.Command, log: &pluginLog{config: config}, gone: make(chan struct{})}
	if len(s.command) == 0 {
		var err error
		if s.command, s.found, err = defaultCommand(s.log.note); err != nil {
			return nil, err
		}
	}
	settings, err := config.settings(s.found)
	if err != nil {
		return nil, err
	}
	if err := s.spawn(); err != nil {
		return nil, err
	}
	late := &Error{
		Kind: ErrHandshake, Code: "DEADLINE_EXCEEDED",
		Message: fmt.Sprintf("%q did not answer the handshake within %v", s.command[0], config.StartTimeout),
	}
	bounded, cancel := context.WithTimeoutCause(ctx, config.StartTimeout, late)
	defer cancel()
	if err := s.link.ShakeHands(bounded, settings); err != nil {
		s.process.Kill()
		s.close(errClosed)
		var tooLarge *wire.LocalError
		switch {
		case errors.As(err, &tooLarge):
			return nil, &Error{Kind: ErrHandshake, Code: "INVALID_ARGUMENT", Message: "cannot send the configuration: " + tooLarge.Message}
		case errors.Is(err, late):
			late.Stderr = s.process.Tail()
		}
		return nil, err
	}
	if config.shares(s.found) {
		if s.files = shared(s.link.Peer(), s.process.PID()); s.files != nil {
			go s.files.closeAfter(s.gone)
		}
	}
	s.log.warn(s.link.Peer().GetWarnings(), s.process.Tail)
	if other := otherRelease(s.link.Peer().GetImplementation()); other != "" {
		s.log.note(other)
	}
	return s, nil
}

func (c Config) settings(found bool) (*pluginv1.Settings, error) {
	settings := &pluginv1.Settings{
		Versions:       []uint32{wire.Version},
		Implementation: implementation,
		ProcessId:      uint32(os.Getpid()),
		Capabilities:   []string{wire.DeclaredCredit},
	}
	if c.FollowRedirects {
		settings.Capabilities = append(settings.Capabilities, "redirect")
	}
	if c.shares(found) {
		settings.Capabilities = append(settings.Capabilities, sharesFiles)
	}
	if c.YAML != "" {
		settings.Configuration = &c.YAML
	}
	variables, err := c.environment()
	if variables != nil {
		settings.Environment = &pluginv1.Environment{Variables: variables}
	}
	return settings, err
}

func (s *session) spawn() error {
	process, err := child.Start(s.command, s.found, s.log.line)
	if err != nil {
		return &Error{
			Kind: ErrNotFound, Code: "NOT_FOUND", Err: err,
			Message: fmt.Sprintf("cannot start the plugin: %v; %s", err, hint),
		}
	}
	s.process = process
	options := link.Options{Memory: s.config.Memory, Ended: s.explainEnd}
	recorder := s.recorder()
	if recorder != nil {
		options.Recorder = recorder
	}
	s.link, err = link.New(process.Source, process.Sink, options)
	if err != nil {
		process.Kill()
		recorder.Close()
		return fmt.Errorf("udist: cannot use the plugin's pipes: %w", err)
	}
	go func() {
		<-process.Exited()
		s.link.AwaitEnd(true)
		s.link.Close()
		recorder.Close()
		close(s.gone)
	}()
	return nil
}

// recorder returns what records the link, or nil.
func (s *session) recorder() *trace.Recorder {
	if s.config.Trace == "" {
		return nil
	}
	return trace.Open(s.config.Trace, implementation, s.command[0], s.log.note)
}

// end closes the session for Close. The error says that the plugin did not exit properly; if it had already died, its
// requests have reported why.
func (s *session) end() error {
	died := s.link.Err()
	ending := s.close(errClosed)
	if died != nil || ending.Success() {
		return nil
	}
	return &Error{
		Kind: ErrDied, Code: "UNAVAILABLE", State: ending.State, Stderr: s.process.Tail(),
		Message: fmt.Sprintf("the plugin (process %d) was closed, and %v", s.process.PID(), ending),
	}
}

// close waits for open exchanges and stops the plugin. Exchanges that do not finish fail with cause.
func (s *session) close(cause error) child.Ending {
	bounded, cancel := context.WithTimeout(context.Background(), s.config.CloseTimeout)
	s.link.Drain(bounded, cause)
	cancel()
	go s.link.AwaitEnd(false) // the plugin may send more before it exits
	bounded, cancel = context.WithTimeout(context.Background(), min(parting, s.config.CloseTimeout))
	defer cancel()
	patience := s.config.CloseTimeout
	if !s.link.CloseInput(bounded) {
		patience = 0
	}
	ending := s.process.End(patience)
	s.link.Fail(cause)
	if ending.Ended {
		<-s.gone
	}
	return ending
}

var (
	errClosed   = &Error{Kind: ErrClosed, Code: "UNAVAILABLE", Message: "the plugin was closed"}
	errReplaced = &Error{
		Kind: ErrGoingAway, Code: "UNAVAILABLE",
		Message: "the plugin was replaced by a new one before this response was complete",
	}
)

// explainEnd returns the reason why the link ended, and makes sure that the plugin ends, too.
func (s *session) explainEnd(cause error, text []byte) error {
	var refused *link.GoAwayError
	var broken *wire.ConnectionError
	err := &Error{Kind: ErrDied, Code: "UNAVAILABLE", Err: cause}
	switch {
	case errors.As(cause, &refused):
		err.Kind, err.Code, err.Message = ErrHandshake, codeName(refused.Code), refused.Message
		if refused.Code == pluginv1.Code_CODE_FAILED_PRECONDITION {
			err.Message = namingRelease(err.Message)
		}
	case errors.As(cause, &broken):
		if broken.Name == "truncated" && s.died() {
			break
		}
		s.process.Kill()
		err.Kind, err.Code, err.Message = ErrProtocol, "INTERNAL", "the plugin broke the protocol: "+cause.Error()
		if broken.Name == "version" {
			err.Code, err.Message = "FAILED_PRECONDITION", namingRelease(cause.Error())
		}
		if broken.Name == "first-byte" {
			shown := strings.TrimRight(strings.ToValidUTF8(string(text), "\uFFFD"), "\r\n")
			err.Message = "the plugin's standard output contained text: " + shown
		}
		if !s.link.Ready() {
			err.Kind = ErrHandshake
		}
	case cause != nil:
		s.process.Kill()
		err.Message = cause.Error()
	}
	ending := s.process.Await(dying)
	if !ending.Ended {
		s.process.Kill()
	}
	err.State, err.Stderr = ending.State, s.process.Tail()
	switch {
	case s.found && !s.link.Ready() && strings.Contains(err.Stderr, "No module named udist_plugin"):
		err.Kind, err.Code = ErrNotFound, "NOT_FOUND"
		err.Message = "python3 does not have the module udist_plugin; " + hint
	case err.Message != "":
	case ending.Ended:
		err.Message = "the plugin " + ending.String()
	default:
		err.Message = "the plugin closed its output, but is still running"
	}
	return err
}

// died reports whether the plugin exited other than with status 0. Then an incomplete frame does not violate the
// protocol.
func (s *session) died() bool {
	ending := s.process.Await(dying)
	return ending.Ended && (ending.State == nil || !ending.State.Success())
}

func codeName(code pluginv1.Code) string {
	if code == pluginv1.Code_CODE_OK_UNSPECIFIED {
		return "OK"
	}
	return strings.TrimPrefix(code.String(), "CODE_")
}
