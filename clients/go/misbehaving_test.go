package udist_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"context"

	"udist.dev/plugin/udist"
)

type misbehaviour struct {
	kind error
	says string
}

// words is as much as is repeated of a message that is too long.
var words = strings.Repeat("€", 4096)

// What each kind of udist_plugin.testing.misbehaving comes to.
var (
	atStart = map[string]misbehaviour{
		"exit": {udist.ErrDied, "exit status 3; its standard error ends with:\na last word"},
		"hang": {udist.ErrHandshake, "did not answer the handshake within 500ms"},
		"text": {udist.ErrHandshake, "standard output contained text: Welcome to the plugin!"},
		"version": {
			udist.ErrHandshake,
			"no common version: the plugin (misbehaving/1) speaks 2, this client speaks 1 (udist-go/" + udist.Version + "); use a plugin",
		},
		"refuse-version": {
			udist.ErrHandshake,
			"speaks 1, this side 2 (udist-go/" + udist.Version + "); use a plugin and a client of the same release",
		},
		"refuse":       {udist.ErrHandshake, "storage.filesystem.rootdirectory"},
		"long-refusal": {udist.ErrHandshake, words},
		"no-settings":  {udist.ErrHandshake, "response before settings"},
	}
	atRequest = map[string]misbehaviour{
		"late-text":     {udist.ErrProtocol, "standard output contained text: Oops, a print"},
		"long-reset":    {udist.ErrReset, words},
		"garbage":       {udist.ErrProtocol, "not a Frame"},
		"oversized":     {udist.ErrProtocol, "exceeds the limit"},
		"unopened":      {udist.ErrProtocol, "stream 7 was never opened"},
		"head-twice":    {udist.ErrProtocol, "a head on stream 1"},
		"bad-status":    {udist.ErrReset, "status 99"},
		"credit":        {udist.ErrProtocol, "bytes of credit"},
		"short":         {udist.ErrReset, "content-length is 1000"},
		"truncated":     {udist.ErrProtocol, "ended within a frame, 990 bytes short"},
		"truncated-end": {udist.ErrProtocol, "ended within a frame, 990 bytes short"},
		"die":           {udist.ErrDied, "signal: killed; its standard error ends with:\nabout to be killed"},
		"die-in-a-frame": {
			udist.ErrDied, "signal: killed; its standard error ends with:\nabout to be killed",
		},
		"ok-too-early": {udist.ErrReset, "ended the stream before its response"},
		"half":         {context.DeadlineExceeded, "deadline exceeded"},
		"mute":         {context.DeadlineExceeded, "deadline exceeded"},
		"chatter":      {context.DeadlineExceeded, "deadline exceeded"},
		"deaf":         {context.DeadlineExceeded, "deadline exceeded"},
	}
)

func misbehaving(kind string) []string {
	return python("udist_plugin.testing.misbehaving", kind)
}

func TestEveryMisbehaviourIsTried(t *testing.T) {
	command := python("udist_plugin.testing.misbehaving")
	source := "from udist_plugin.testing.misbehaving import KINDS; print(*KINDS)"
	for _, kind := range strings.Fields(output(t, []string{command[0], "-c", source})) {
		_, early := atStart[kind]
		if _, late := atRequest[kind]; !early && !late {
			t.Errorf("%s is not tried", kind)
		}
	}
}

func TestBadStart(t *testing.T) {
	for kind, want := range atStart {
		t.Run(kind, func(t *testing.T) {
			defer noGoroutineIsLeft(t)
			config := udist.Config{Command: misbehaving(kind)}
			if kind == "hang" {
				config.StartTimeout = 500 * time.Millisecond
			}
			plugin, err := udist.Spawn(t.Context(), config)
			if err == nil {
				_ = plugin.Close()
			}
			check(t, err, want)
		})
	}
}

func TestBadAnswer(t *testing.T) {
	for kind, want := range atRequest {
		t.Run(kind, func(t *testing.T) {
			defer noGoroutineIsLeft(t)
			plugin, err := udist.Spawn(t.Context(), udist.Config{
				Command: misbehaving(kind), CloseTimeout: 200 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			check(t, get(t, plugin), want)
			if took := time.Since(begin); took > 4*time.Second {
				t.Errorf("took %v", took)
			}
			_ = plugin.Close() // that it was killed is no news
		})
	}
}

// get makes a request and reads all of its answer.
func get(t *testing.T, plugin *udist.Plugin) error {
	request, err := http.NewRequestWithContext(deadline(t, 2*time.Second), http.MethodGet, "http://localhost/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := plugin.RoundTripper().RoundTrip(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func check(t *testing.T, err error, want misbehaviour) {
	t.Helper()
	if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.says) {
		t.Fatalf("%v, want %v: ...%s...", err, want.kind, want.says)
	}
	if strings.Contains(err.Error(), words+"€") {
		t.Errorf("a message of %d bytes", len(err.Error()))
	}
}

// TestPushToTheDeaf fills the plugin's input: whoever waits for room still ends with its deadline.
func TestPushToTheDeaf(t *testing.T) {
	defer noGoroutineIsLeft(t)
	plugin, err := udist.Spawn(t.Context(), udist.Config{
		Command: misbehaving("deaf"), CloseTimeout: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t, time.Second)
	failed := make(chan error)
	for range 10 {
		go func() {
			body := io.LimitReader(zeros{}, 1<<30)
			request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://localhost/v2/", body)
			if err == nil {
				_, err = plugin.RoundTripper().RoundTrip(request)
			}
			failed <- err
		}()
	}
	for range 10 {
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the deadline's end", err)
		}
	}
	if err := get(t, plugin); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v behind a full pipe, want the deadline's end", err)
	}
	_ = plugin.Close()
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestNoPlugin(t *testing.T) {
	_, err := udist.Spawn(t.Context(), udist.Config{Command: []string{"/nonexistent/udist-plugin"}})
	check(t, err, misbehaviour{udist.ErrNotFound, "pip install /path/to/udist"})
	t.Setenv("UDIST_PLUGIN", "")
	t.Setenv("PATH", t.TempDir())
	_, err = udist.Spawn(t.Context(), udist.Config{})
	check(t, err, misbehaviour{udist.ErrNotFound, "pip install /path/to/udist"})
}

// TestPythonWithoutPlugin finds an interpreter in which nothing is installed.
func TestPythonWithoutPlugin(t *testing.T) {
	defer noGoroutineIsLeft(t)
	folder := t.TempDir()
	script := "#!/bin/sh\necho \"$0: No module named udist_plugin\" >&2\nexit 1\n"
	writeProgram(t, folder+"/python3", script)
	t.Setenv("UDIST_PLUGIN", "")
	t.Setenv("PATH", folder)
	_, err := udist.Spawn(t.Context(), udist.Config{})
	check(t, err, misbehaviour{udist.ErrNotFound, "pip install /path/to/udist"})
}

func TestSpawnCancelled(t *testing.T) {
	defer noGoroutineIsLeft(t)
	_, err := udist.Spawn(deadline(t, 300*time.Millisecond), udist.Config{Command: misbehaving("hang")})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
}

func TestRefusedConfiguration(t *testing.T) {
	defer noGoroutineIsLeft(t)
	_, err := udist.Spawn(t.Context(), udist.Config{YAML: "version: 0.1\nstorage: {nonsense: {}}\n"})
	var told *udist.Error
	if !errors.As(err, &told) || told.Kind != udist.ErrHandshake || told.ExitCode() != 78 ||
		told.Code != "INVALID_ARGUMENT" || !strings.Contains(told.Message, "storage") {
		t.Errorf("%#v, want a refusal that names the key", err)
	}
	_, err = udist.Spawn(t.Context(), udist.Config{Env: []string{"REGISTRY_HTTP_SECRET"}})
	if err == nil || !slices.Contains(strings.Fields(err.Error()), "NAME=value") {
		t.Errorf("%v, want what an entry must look like", err)
	}
}
