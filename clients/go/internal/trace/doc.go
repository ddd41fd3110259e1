// Package trace writes a record of the frames that go each way, without content and without secrets. Its format is
// defined in udist_plugin/docs/trace.md.
package trace
