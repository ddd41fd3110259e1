package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"udist.dev/plugin/udist"
)

// unquote replaces each %XX in a word by its byte.
func unquote(word string) (string, error) { return url.PathUnescape(word) }

func quote(word string) string {
	var quoted strings.Builder
	for i := range len(word) {
		if b := word[i]; b <= ' ' || b == '%' || b >= 0x7f {
			fmt.Fprintf(&quoted, "%%%02X", b)
		} else {
			quoted.WriteByte(b)
		}
	}
	return quoted.String()
}

var output sync.Mutex

// report writes one line. Words that are empty are left out.
func report(words ...string) {
	var line []string
	for _, word := range words {
		if word != "" {
			line = append(line, quote(word))
		}
	}
	output.Lock()
	defer output.Unlock()
	_, _ = fmt.Fprintln(os.Stdout, strings.Join(line, " "))
}

// reportError reports that an exchange has failed.
func reportError(id string, err error) {
	code, repeatable := codeOf(err)
	report("error", id, code, map[bool]string{true: "yes", false: "no"}[repeatable], err.Error())
}

// codeOf returns what a program can tell from an error: the code, and whether the request can be repeated.
func codeOf(err error) (code string, repeatable bool) {
	var known *udist.Error
	switch {
	case errors.As(err, &known):
		return known.Code, known.Retryable
	case errors.Is(err, context.Canceled):
		return "CANCELLED", false
	case errors.Is(err, context.DeadlineExceeded):
		return "DEADLINE_EXCEEDED", false
	}
	return "INVALID_ARGUMENT", false // the request itself is wrong
}
