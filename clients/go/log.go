package udist

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// pluginLog passes on what a plugin reports: the lines of its standard error, and the warnings in its settings. Its log
// repeats these warnings if the log's level allows; such lines are dropped.
type pluginLog struct {
	config Config
	mu     sync.Mutex
	warned []string // what the log has not repeated yet
}

// line passes on a line of standard error.
func (p *pluginLog) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	level := levelOf(text)
	if level == slog.LevelWarn {
		repeated := slices.IndexFunc(p.warned, func(warning string) bool { return contains(text, warning) })
		if repeated >= 0 {
			p.warned = slices.Delete(p.warned, repeated, repeated+1)
			return
		}
	}
	p.write(level, text)
}

// warn passes on the warnings in the plugin's settings, except those in tail, the lines that were read before them.
func (p *pluginLog) warn(warnings []string, tail func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	earlier := tail()
	for _, warning := range warnings {
		if !contains(earlier, warning) {
			p.warned = append(p.warned, warning)
			p.write(slog.LevelWarn, "udist-plugin: "+strings.Map(printable, warning))
		}
	}
}

// note passes on a warning of this library's own.
func (p *pluginLog) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(slog.LevelWarn, "udist: "+text)
}

// write writes text to where the config wants it.
func (p *pluginLog) write(level slog.Level, text string) {
	stderr, logger := p.config.Stderr, p.config.Logger
	if stderr == nil && logger == nil && level >= slog.LevelWarn {
		stderr = os.Stderr
	}
	if stderr != nil {
		_, _ = io.WriteString(stderr, text+"\n")
	}
	if logger != nil {
		logger.Log(context.Background(), level, text)
	}
}

func printable(character rune) rune {
	if unicode.IsControl(character) {
		return unicode.ReplacementChar
	}
	return character
}

// levelField matches the level in a line of the plugin's log, in text and JSON format. It comes before anything that a
// client can have put into the line.
var levelField = regexp.MustCompile(`(?: level=|"level":")([a-z]+)`)

// levelOf returns the level of a line of the plugin's log, or Info if the line has none.
func levelOf(line string) slog.Level {
	found := levelField.FindStringSubmatch(line)
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

// compared is how many bytes of a warning are compared with a line of the log, which may be truncated.
const compared = 1000

// escapes matches the escape sequences of the log's text and JSON formats.
var escapes = regexp.MustCompile(`(?:\\u[0-9a-f]{4})+|\\x[0-9a-f]{2}|\\["\\/bfnrt]`)

// contains reports whether a line of the plugin's log contains a warning.
func contains(line, warning string) bool {
	unescaped := escapes.ReplaceAllStringFunc(line, func(escape string) (character string) {
		_ = json.Unmarshal([]byte(`"`+strings.Replace(escape, `\x`, `\u00`, 1)+`"`), &character)
		return character
	})
	return strings.Contains(unescaped, warning[:min(len(warning), compared)])
}
