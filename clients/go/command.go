package udist

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"udist.dev/plugin/udist/internal/carried"
)

const hint = "install it from a checkout (pip install /path/to/udist), or set UDIST_PLUGIN to its command"

// defaultCommand finds the plugin. own reports whether the library chose the command rather than the user. note receives
// warnings.
func defaultCommand(note func(string)) (command []string, own bool, err error) {
	if text := os.Getenv("UDIST_PLUGIN"); strings.TrimSpace(text) != "" {
		command, err := splitCommand(text)
		if err != nil {
			return nil, false, &Error{
				Kind: ErrNotFound, Code: "NOT_FOUND", Message: fmt.Sprintf("UDIST_PLUGIN (%s): %v", text, err),
			}
		}
		return command, false, nil
	}
	if carried.Command != nil {
		command, err := carried.Command(note)
		if err != nil {
			return nil, true, &Error{
				Kind: ErrNotFound, Code: "NOT_FOUND", Err: err,
				Message: fmt.Sprintf("%v; set UDIST_PLUGIN to the command of another plugin", err),
			}
		}
		return command, true, nil
	}
	if path, err := exec.LookPath("udist-plugin"); err == nil {
		return []string{path}, true, nil
	}
	if path, err := exec.LookPath("python3"); err == nil {
		return []string{path, "-P", "-m", "udist_plugin"}, true, nil
	}
	return nil, true, &Error{
		Kind: ErrNotFound, Code: "NOT_FOUND",
		Message: "neither udist-plugin nor python3 is on PATH; " + hint,
		Err:     exec.ErrNotFound,
	}
}

// splitCommand splits text into words like a POSIX shell: at whitespace, with single quotes, double quotes and
// backslashes, but without expanding anything.
func splitCommand(text string) (words []string, err error) {
	var word strings.Builder
	within, quote, escaped := false, rune(0), false
	for _, r := range text {
		switch {
		case escaped && r == '\n': // line continuation
			escaped = false
		case escaped:
			within = true
			if quote == '"' && !strings.ContainsRune("\"\\$`\n", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, within = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if within {
				words = append(words, word.String())
				word.Reset()
				within = false
			}
		default:
			word.WriteRune(r)
			within = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("the quote %c is never closed", quote)
	case escaped:
		return nil, errors.New("a backslash at the end has nothing to escape")
	case within:
		words = append(words, word.String())
	}
	return words, nil
}
