// Package embedded lets a program carry its plugin, so that the program needs neither Python nor a second file.
//
// Write a package with the plugin into your module:
//
//	go run udist.dev/plugin/udist/embedded/cmd/generate -from path/to/udist -to internal/udistplugin
//
// and import it for its effect:
//
//	import _ "example.com/app/internal/udistplugin"
//
// Then [udist.dev/plugin/udist.Config] starts this plugin, unless its Command or the environment variable UDIST_PLUGIN
// names another. The plugin is unpacked into the user's cache folder once. If that is impossible, Linux runs it from
// memory, and a warning says why.
package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"udist.dev/plugin/udist/internal/carried"
)

// ErrDamaged is the kind of error for a program whose plugin is not the one that was written into it.
var ErrDamaged = errors.New("the plugin in this program is damaged; run the generator and build the program again")

// role is the name under which the file runs as a plugin, and else the first argument that makes it one.
const role = "udist-plugin"

// Plugin is a plugin as an executable file for the platform of this program.
type Plugin struct {
	// Program is the content of the file.
	Program string
	// SHA256 is the digest of Program in hexadecimal.
	SHA256 string
}

// Register makes the plugin the one that this program carries. Call it only from an init function.
func Register(plugin Plugin) {
	carried.Command = plugin.command
}

func (p Plugin) command(note func(string)) ([]string, error) {
	path, err := p.unpack(note)
	if err == nil {
		return []string{path}, nil
	}
	if errors.Is(err, ErrDamaged) {
		return nil, err
	}
	path, added, inMemory := p.load()
	if inMemory != nil {
		return nil, fmt.Errorf("the plugin in this program cannot be unpacked: %w; nor can it run from memory: %w", err, inMemory)
	}
	if added {
		note(fmt.Sprintf("the plugin in this program cannot be unpacked: %v; it runs from memory, of which it needs %d MiB",
			err, len(p.Program)>>20))
	}
	return []string{path, role}, nil
}

// unpack returns the path of the plugin in the user's cache folder, and writes it there if necessary.
func (p Plugin) unpack(note func(string)) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return p.unpackInto(cache, note)
}

func (p Plugin) verify() error {
	if found := sha256.Sum256([]byte(p.Program)); hex.EncodeToString(found[:]) != p.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %x, expected %s", ErrDamaged, found, p.SHA256)
	}
	return nil
}
