package trace

import (
	"fmt"
	"strings"
)

// fields are shown with their values. The value of any other field may be a secret.
var fields = setOf(
	"accept", "accept-encoding", "accept-ranges", "allow", "cache-control", "content-encoding", "content-length",
	"content-range", "content-type", "date", "docker-content-digest", "docker-distribution-api-version",
	"docker-upload-uuid", "etag", "if-match", "if-modified-since", "if-none-match", "if-range",
	"if-unmodified-since", "last-modified", "location", "oci-chunk-min-length", "oci-filters-applied", "oci-subject",
	"oci-tag", "range", "retry-after", "vary",
)

// parameters of a query are shown with their values: those of the distribution-spec.
var parameters = setOf("artifactType", "digest", "from", "last", "mount", "n", "tag")

const (
	longestName = 64
	inNames     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// shownValue returns a field's value, or its length if it must not be shown.
func shownValue(name string, value []byte) any {
	if !fields[name] || !printable(value) {
		return len(value)
	}
	if name == "location" {
		return shownURL(string(value))
	}
	return string(value)
}

func printable(value []byte) bool {
	for _, b := range value {
		if b < 0x20 || b > 0x7e {
			return false
		}
	}
	return true
}

// shownURL returns a target or location without its login, its fragment, and the parameters that must not be shown.
func shownURL(url string) string {
	rest, fragment, hasFragment := strings.Cut(url, "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	shown := withoutLogin(path)
	if hasQuery {
		given := strings.Split(query, "&")
		for i, parameter := range given {
			given[i] = shownParameter(parameter)
		}
		shown += "?" + strings.Join(given, "&")
	}
	if hasFragment {
		shown += "#" + leftOut(fragment)
	}
	return shown
}

func withoutLogin(path string) string {
	scheme, rest, found := strings.Cut(path, "//")
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if !found || strings.Contains(scheme, "/") || at < 0 {
		return path
	}
	return scheme + "//" + leftOut(rest[:at]) + rest[at:]
}

func shownParameter(parameter string) string {
	name, value, hasValue := strings.Cut(parameter, "=")
	switch {
	case parameter == "", hasValue && parameters[name]:
		return parameter
	case name != "" && len(name) <= longestName && strings.Trim(name, inNames) == "" && strings.Trim(value, "=") != "":
		return name + "=" + leftOut(value)
	}
	return leftOut(parameter)
}

// shownMessage returns a message without logins and queries: of each word, without what stands before its last @, and
// after its first ? behind that.
func shownMessage(message string) string {
	var shown strings.Builder
	for len(message) > 0 {
		end := strings.IndexAny(message, " \t\n")
		if end == 0 {
			shown.WriteByte(message[0])
			message = message[1:]
			continue
		}
		if end < 0 {
			end = len(message)
		}
		shown.WriteString(shownWord(message[:end]))
		message = message[end:]
	}
	return shown.String()
}

func shownWord(word string) string {
	shown := ""
	if at := strings.LastIndexByte(word, '@'); at >= 0 {
		if at > 0 {
			shown = leftOut(word[:at])
		}
		shown, word = shown+"@", word[at+1:]
	}
	place, query, found := strings.Cut(word, "?")
	shown += place
	if found {
		shown += "?"
	}
	if query != "" {
		shown += leftOut(query)
	}
	return shown
}

// leftOut stands within a text for a part that is not shown.
func leftOut(text string) string { return fmt.Sprintf("<%d>", len(text)) }
