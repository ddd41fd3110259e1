package udist_test

import (
	"bytes"
	"testing"

	"udist.dev/plugin/udist"
)

// TestOtherRelease says once that a plugin of udist is of another release. The fake plugin calls itself what its
// configuration says.
func TestOtherRelease(t *testing.T) {
	for plugin, want := range map[string]string{
		"udist-python/99.0.0": "udist: the plugin is udist-python/99.0.0, and this client udist-go/" + udist.Version +
			": use a plugin and a client of the same release\n",
		"udist-python/" + udist.Version: "",
		"another/99.0.0":                "",
		"udist-python/\x1b[2J":          "",
	} {
		t.Run(plugin, func(t *testing.T) {
			var log bytes.Buffer
			answers(t, spawn(t, udist.Config{Command: fake(t), YAML: plugin, Stderr: &log}))
			if log.String() != want {
				t.Errorf("%q, want %q", log.String(), want)
			}
		})
	}
}
