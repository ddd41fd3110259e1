package wire

import (
	"fmt"
	"strconv"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// The rules for heads (section 3, "Heads"). Each function returns a description of what is wrong, or an empty string.

// characters is a set of bytes.
type characters [256]bool

func among(sets ...string) (c characters) {
	for _, set := range sets {
		for i := range len(set) {
			c[set[i]] = true
		}
	}
	return c
}

func (c *characters) holdAll(text string) bool {
	for i := range len(text) {
		if !c[text[i]] {
			return false
		}
	}
	return true
}

const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var (
	nameCharacters      = among("!#$%&'*+-.^_`|~", digits, lower)
	tokenCharacters     = among("!#$%&'*+-.^_`|~", digits, lower, upper)
	authorityCharacters = among("!$%&'*+-._~(),;=:[]", digits, lower, upper)
)

// IsHopByHop reports whether the field with this lower-case name must not be sent, because it is connection-specific or
// the authority replaces it.
func IsHopByHop(name string) bool {
	switch name {
	case "connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

func requestProblem(head *pluginv1.Request) string {
	switch {
	case head.GetMethod() == "" || !tokenCharacters.holdAll(head.GetMethod()):
		return fmt.Sprintf("method %.64q is not a token", head.GetMethod())
	case !isOriginForm(head.GetTarget()):
		return fmt.Sprintf("target %.64q is not in origin form", head.GetTarget())
	case head.GetScheme() != "http" && head.GetScheme() != "https":
		return fmt.Sprintf("scheme %.64q is neither http nor https", head.GetScheme())
	case !authorityCharacters.holdAll(head.GetAuthority()):
		return fmt.Sprintf("authority %.64q is not a host and port", head.GetAuthority())
	case head.GetInitialCredit() > InitialCredit:
		return fmt.Sprintf("initial credit of %d bytes exceeds %d", head.GetInitialCredit(), InitialCredit)
	}
	return fieldsProblem(head.GetFields())
}

func responseProblem(head *pluginv1.Response) string {
	if head.GetStatus() < 200 || head.GetStatus() > 599 {
		return fmt.Sprintf("status %d is not between 200 and 599", head.GetStatus())
	}
	return fieldsProblem(head.GetFields())
}

func fieldsProblem(fields []*pluginv1.Field) string {
	for _, field := range fields {
		name := field.GetName()
		switch {
		case name == "" || !nameCharacters.holdAll(name):
			return fmt.Sprintf("field name %.64q is not a lower-case token", name)
		case IsHopByHop(name):
			return fmt.Sprintf("field %q must not be sent", name)
		}
		for _, c := range field.GetValue() {
			if c < ' ' && c != '\t' || c == 0x7f {
				return fmt.Sprintf("field %.64q has a control character in its value", name)
			}
		}
	}
	return ""
}

// contentLength returns the declared length of the content, or -1 if there is none.
func contentLength(fields []*pluginv1.Field) (length int64, problem string) {
	length = -1
	for _, field := range fields {
		if field.GetName() != "content-length" {
			continue
		}
		value, err := strconv.ParseUint(string(field.GetValue()), 10, 63)
		if err != nil || len(field.GetValue()) > 19 || length >= 0 && length != int64(value) {
			return -1, "content-length is not a single number"
		}
		length = int64(value)
	}
	return length, ""
}

func isOriginForm(target string) bool {
	if target == "*" {
		return true
	}
	if target == "" || target[0] != '/' {
		return false
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f || target[i] == '#' {
			return false
		}
	}
	return true
}
