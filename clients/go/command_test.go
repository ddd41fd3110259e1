package udist

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestSplitCommand compares with a shell, which is given nothing to expand.
func TestSplitCommand(t *testing.T) {
	for _, text := range []string{
		"udist-plugin",
		"  python3\t-m  udist_plugin\n",
		`'/opt/my registry/bin/udist-plugin' --config "a 'b' c"`,
		`ssh -o "User Name" host\ name udist-plugin`,
		`a"b c"d'e f'g\h`,
		`"" ''`,
		`"\n \\ \" \a"`,
		`'\n \\'`,
		"a\\\nb \\\n \"c\\\nd\" e",
	} {
		shell, err := exec.Command("sh", "-c", `printf '%s\0' `+text).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(shell), "\x00"), "\x00")
		if words, err := splitCommand(text); err != nil || !slices.Equal(words, want) {
			t.Errorf("%s: %q, %v, want %q", text, words, err, want)
		}
	}
	for _, text := range []string{`a "b`, `a 'b`, `a \`} {
		if words, err := splitCommand(text); err == nil {
			t.Errorf("%s: %q, want an error", text, words)
		}
	}
}
