// Package wire is the caller's side of the frame protocol, sans-IO: no descriptor, goroutine or clock.
// proto/PROTOCOL.md is normative; sections named in this package are its sections.
package wire
