package udist

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// Config says what to spawn and how the registry in it is set up. The zero value spawns the default plugin
// with its own configuration.
type Config struct {
	// YAML is the text of distribution's configuration file. Empty leaves the configuration to the command.
	YAML string
	// Env is REGISTRY_* variables as "NAME=value", of which the last of a name counts; others are left out,
	// so os.Environ may be given. If it is not nil they replace all of the plugin's own, even when there are
	// none. They never become a process's environment.
	Env []string
	// Command is what to spawn, instead of the default: UDIST_PLUGIN, split as a shell does but without
	// expansion; else udist-plugin on PATH; else python3 -P -m udist_plugin. A command that was found on PATH
	// runs in a process group of its own, so that Ctrl-C reaches the caller first; one that the user gave
	// stays in the caller's, because ssh may have to ask for a password.
	Command []string
	// Stderr receives the plugin's standard error line by line. Its Write must not block for long. If both
	// Stderr and Logger are nil, the warnings and errors in the plugin's log go to os.Stderr, so that nobody
	// misses a misspelled key; io.Discard silences them.
	Stderr io.Writer
	// Logger receives the same lines as records, at the level that each line states.
	Logger *slog.Logger
	// StartTimeout bounds the wait for the plugin to be ready; 30 s if it is 0.
	StartTimeout time.Duration
	// CloseTimeout bounds each wait of Close: for open exchanges, and for the plugin to end by itself; 10 s
	// if it is 0.
	CloseTimeout time.Duration
	// Memory bounds, in bytes, what responses may have been read ahead beyond 256 KiB each, all together;
	// 128 MiB if it is 0. That much is taken only when many responses are begun and not read; with less,
	// many responses at once are slower.
	Memory int
	// FollowRedirects lets the plugin answer for a blob with where its store has it, and this library then
	// fetches the content there: straight from the bucket, instead of through the plugin. It is for callers that
	// stand where the store can be reached over the network. Only fields that say what content is wanted go there,
	// and no credentials. Failures there are errors of kind ErrRedirect.
	FollowRedirects bool
	// Network is what redirects are followed with; http.DefaultTransport if it is nil.
	Network http.RoundTripper
	// Restart lets a plugin that has died be replaced; nil for never.
	Restart *RestartPolicy
}

// RestartPolicy says how often a plugin that has died is replaced. That happens at the next request: what
// was under way fails, and whether to repeat it is the caller's to decide, by Error.Retryable.
type RestartPolicy struct {
	// Max plugins are started anew within Interval; then requests fail with ErrDied.
	Max      int
	Interval time.Duration
}

func (c Config) withDefaults() Config {
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	if c.CloseTimeout == 0 {
		c.CloseTimeout = 10 * time.Second
	}
	if c.Memory == 0 {
		c.Memory = 128 << 20
	}
	return c
}

// environment is Env by name, nil if none was given.
func (c Config) environment() (map[string]string, error) {
	if c.Env == nil {
		return nil, nil
	}
	variables := make(map[string]string, len(c.Env))
	for i, entry := range c.Env {
		name, value, ok := strings.Cut(entry, "=")
		if entry != "" && entry[0] == '=' {
			continue // Windows keeps the folder of each drive so
		}
		if !ok {
			return nil, fmt.Errorf("udist: Config.Env[%d] is not NAME=value", i)
		}
		if strings.HasPrefix(name, "REGISTRY_") {
			variables[name] = value
		}
	}
	return variables, nil
}

// line hands on a line of the plugin's standard error.
func (c Config) line(text string) {
	stderr := c.Stderr
	if stderr == nil && c.Logger == nil && levelOf(text) >= slog.LevelWarn {
		stderr = os.Stderr
	}
	if stderr != nil {
		_, _ = io.WriteString(stderr, text+"\n")
	}
	if c.Logger != nil {
		c.Logger.Log(context.Background(), levelOf(text), text)
	}
}

// told is where a line of the plugin's log tells its level, as text and as JSON: in front of all that a client
// may have said.
var told = regexp.MustCompile(`(?: level=|"level":")([a-z]+)`)

// levelOf is the level that a line of the plugin's log tells, Info if it tells none.
func levelOf(line string) slog.Level {
	found := told.FindStringSubmatch(line)
	if found == nil {
		return slog.LevelInfo
	}
	switch found[1] {
	case "debug":
		return slog.LevelDebug
	case "warn", "warning":
		return slog.LevelWarn
	case "error", "fatal":
		return slog.LevelError
	}
	return slog.LevelInfo
}
