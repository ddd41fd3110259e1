package udist_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"udist.dev/plugin/udist"
)

// warning is what the plugin says of oddKey, which the formats of its log write in different ways.
const (
	oddKey  = `"\"nonsense\"\\x \xE9\U0001F600\a\x85"`
	warning = "\"nonsense\"\\x é😀\a\u0085 (the caller's configuration:3): unknown key, ignored"
)

// logSettings are those that matter for where and how a warning is shown.
var logSettings = []string{"{level: info}", "{level: error}", "{formatter: json}", "{formatter: logstash}"}

func misspelt(settings string) string {
	return "version: 0.1\nstorage: inmemory\n" + oddKey + ": 1\nhttp: {addr: ':5000'}\nlog: " + settings + "\n"
}

// TestStderr passes on the plugin's log with its levels, and a warning about the configuration once, whatever the log
// leaves out.
func TestStderr(t *testing.T) {
	for _, settings := range logSettings {
		var lines, records lockedBuffer
		plugin := spawn(t, udist.Config{
			YAML:   misspelt(settings),
			Env:    []string{"REGISTRY_NONSENSE" + strings.Repeat("X", 5000) + "=1"}, // longer than a line of the log
			Stderr: &lines,
			Logger: slog.New(slog.NewTextHandler(&records, nil)),
		})
		if err := plugin.Close(); err != nil {
			t.Error(err)
		}
		for _, text := range []string{lines.String(), records.String()} {
			if strings.Count(text, "unknown key") != 1 || strings.Count(text, "REGISTRY_NONSENSE") != 1 ||
				!strings.HasSuffix(text, "\n") {
				t.Errorf("%s: %q", settings, text)
			}
		}
		if text := records.String(); strings.Count(text, "level=WARN") != 2 {
			t.Errorf("%s: %q", settings, text)
		}
	}
}

func init() {
	programs["told-nothing-about-logs"] = func() {
		configs := []udist.Config{{Stderr: io.Discard}, {Logger: slog.New(slog.DiscardHandler)}}
		for range logSettings {
			configs = append(configs, udist.Config{})
		}
		for i, config := range configs {
			config.YAML, config.Env = misspelt(logSettings[i%len(logSettings)]), []string{}
			plugin, err := udist.Spawn(context.Background(), config)
			if err == nil {
				err = plugin.Close()
			}
			if err != nil {
				fmt.Println(err)
			}
		}
	}
}

// TestWarnings go to the program's own standard error unless it is told otherwise, and nothing else does.
func TestWarnings(t *testing.T) {
	text, err := exec.Command(fake(t)[0], "told-nothing-about-logs").CombinedOutput()
	lines := strings.Count(string(text), "\n")
	if err != nil || lines != len(logSettings) || strings.Count(string(text), "unknown key") != lines {
		t.Errorf("%v: %s", err, text)
	}
}

// TestWarningOnce has the log repeat a warning after and before the plugin's settings are read, and twice.
func TestWarningOnce(t *testing.T) {
	const line = `time="2026-01-02T03:04:05Z" level=warning msg="` +
		`\"nonsense\"\\x é😀\x07\x85 (the caller's configuration:3): unknown key, ignored"`
	shown := "udist-plugin: " + strings.NewReplacer("\a", "\uFFFD", "\u0085", "\uFFFD").Replace(warning) + "\n"
	for name, order := range map[string]struct {
		before, after []string
		want          string
	}{
		"never":  {nil, nil, shown},
		"after":  {nil, []string{line}, shown},
		"before": {[]string{line}, nil, line + "\n"},
		"twice":  {nil, []string{line, line}, shown + line + "\n"},
	} {
		var lines bytes.Buffer
		tell, warn := udist.PluginLog(udist.Config{Stderr: &lines})
		for _, line := range order.before {
			tell(line)
		}
		warn([]string{warning}, func() string { return strings.Join(order.before, "\n") })
		for _, line := range order.after {
			tell(line)
		}
		if lines.String() != order.want {
			t.Errorf("%s: %q, want %q", name, lines.String(), order.want)
		}
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// TestLevels takes a record's level from where it stands, whatever its message says.
func TestLevels(t *testing.T) {
	var records lockedBuffer
	logged := `time="2026-01-02T03:04:05Z" level=info msg="GET /v2/?a=1 level=error level=debug level=warning"`
	script := `for i in 1 2 3 4 5 6 7 8; do printf '%s\n' "$1"; done >&2; shift; exec "$@"`
	plugin := spawn(t, udist.Config{
		Command: append([]string{"sh", "-c", script, "sh", logged}, fake(t)...),
		Logger:  slog.New(slog.NewTextHandler(&records, nil)),
	})
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if text := records.String(); strings.Count(text, " level=INFO ") != 8 {
		t.Errorf("%s", text)
	}
}
