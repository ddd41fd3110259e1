package distribution

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxErrorBody limits how much of an error's body is read.
const maxErrorBody = 64 << 10

// Error is an unexpected response, with the codes of the distribution-spec ("Error Codes").
type Error struct {
	Method string
	Target string
	Status int // 200 to 599
	Codes  []Code
}

// Code is one entry of an error's body.
type Code struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error returns the request, the status, and every code with its message.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Target, e.Status, http.StatusText(e.Status))
	for _, code := range e.Codes {
		text += fmt.Sprintf(": %s: %s", strings.ToLower(strings.ReplaceAll(code.Code, "_", " ")), code.Message)
	}
	return text
}

// Has reports whether the registry sent one of codes.
func (e *Error) Has(codes ...string) bool {
	for _, given := range e.Codes {
		for _, code := range codes {
			if given.Code == code {
				return true
			}
		}
	}
	return false
}

// refused reads and closes an unexpected response. It ignores a body that is not an error document.
func refused(resp *http.Response) *Error {
	defer resp.Body.Close()
	e := &Error{Method: resp.Request.Method, Target: resp.Request.URL.RequestURI(), Status: resp.StatusCode}
	var document struct {
		Errors []Code `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&document) == nil {
		e.Codes = document.Errors
	}
	return e
}
