package udist

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"
)

// Config describes which plugin to spawn and how to configure its registry. The zero value spawns the default
// plugin with its default configuration.
type Config struct {
	// YAML is the text of a configuration file in distribution's format. If it is empty, the plugin
	// uses the configuration that its command line names, or its defaults.
	YAML string
	// Env holds REGISTRY_* variables in the form "NAME=value". If a name occurs more than once, the last value
	// wins. Other variables are ignored, so you can pass os.Environ(). If Env is not nil, even if it is empty,
	// it replaces all REGISTRY_* variables that the plugin would inherit. The values are sent to the plugin,
	// but never become part of a process environment.
	Env []string
	// Command is the command to spawn. The default is the command in the environment variable UDIST_PLUGIN,
	// split into words like in a shell but without expansion; else the plugin that this program carries (package
	// embedded); else udist-plugin on PATH; else python3 -P -m udist_plugin. A command that this library finds
	// runs in its own process group, so that Ctrl-C reaches the caller first. A command from Command or
	// UDIST_PLUGIN stays in the caller's process group, because ssh may need to ask for a password.
	Command []string
	// Stderr receives the plugin's standard error line by line, and each warning about the configuration once,
	// even if the configuration sets the log's level to error. Its Write must not block for long. If both Stderr
	// and Logger are nil, warnings and errors are written to os.Stderr, and other lines are dropped. Use
	// io.Discard to drop all of them.
	Stderr io.Writer
	// Logger receives the same lines as log records, each with the level given in the line.
	Logger *slog.Logger
	// StartTimeout is how long the plugin may take to become ready. The default is 30 seconds.
	StartTimeout time.Duration
	// CloseTimeout is how long Close waits for open responses, and then again for the plugin to exit on its
	// own. The default is 10 seconds.
	CloseTimeout time.Duration
	// Memory limits how many bytes of all responses together are buffered ahead of their readers, beyond
	// 256 KiB for each. The default is 128 MiB. That much is used only if many responses are open and not being
	// read. A lower limit slows down many simultaneous responses.
	Memory int
	// FollowRedirects downloads blobs directly from the bucket instead of through the plugin. The plugin
	// answers with a URL in the store, which this library then fetches, so this program must be able to reach
	// the store over the network. Only header fields that select content are sent there, and no credentials.
	// A failure there is an error of kind ErrRedirect.
	FollowRedirects bool
	// Network follows the redirects. The default is http.DefaultTransport.
	Network http.RoundTripper
	// Files says whether content that is in a file is shared as an open file instead of being sent.
	Files FileSharing
	// Trace is the path of a new file that records which frames are exchanged with the plugin, without content and
	// without secrets; see "udist help trace". The default is the environment variable UDIST_TRACE; if that is not
	// set either, nothing is recorded. If the file exists, the trace goes to Trace.2, and so on.
	Trace string
	// Restart allows a plugin that has died to be replaced. Nil means never.
	Restart *RestartPolicy
}

// FileSharing says when this process and the plugin open each other's files instead of sending their content: the file
// of a blob, and a request body that is an *os.File. This requires Linux, and a plugin that runs on the same machine as
// the same user. Content that cannot be shared is sent.
type FileSharing uint8

const (
	// FilesIfFound shares files with a plugin that this library finds. A command from Config.Command or UDIST_PLUGIN
	// may run the plugin on another machine or as another user, so no files are shared with it.
	FilesIfFound FileSharing = iota
	// FilesAlways shares files with any plugin that can.
	FilesAlways
	// FilesNever sends all content.
	FilesNever
)

// RestartPolicy limits how often a plugin that has died is replaced. The next request starts the new plugin.
// Requests that the dead plugin had received fail; Error.Retryable says whether they can be repeated safely.
// Requests that were still waiting to be sent go to the new plugin.
type RestartPolicy struct {
	// Max is how many plugins can be started within Interval. After that, requests fail with ErrDied.
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
	if c.Trace == "" {
		c.Trace = os.Getenv("UDIST_TRACE")
	}
	if c.Memory == 0 {
		c.Memory = 128 << 20
	}
	return c
}

// shares reports whether to share files with a plugin. found is true if the library chose its command.
func (c Config) shares(found bool) bool {
	return canShareFiles && (c.Files == FilesAlways || c.Files == FilesIfFound && found)
}

// environment returns Env as a map, or nil if Env is nil.
func (c Config) environment() (map[string]string, error) {
	if c.Env == nil {
		return nil, nil
	}
	variables := make(map[string]string, len(c.Env))
	for i, entry := range c.Env {
		name, value, ok := strings.Cut(entry, "=")
		if entry != "" && entry[0] == '=' {
			continue // Windows stores the current directory of each drive like this
		}
		if !ok {
			return nil, fmt.Errorf("udist: Config.Env[%d] does not have the form NAME=value", i)
		}
		if strings.HasPrefix(name, "REGISTRY_") {
			variables[name] = value
		}
	}
	return variables, nil
}
