// Package carried connects package embedded with package udist, which must not import it.
package carried

// Command returns the command of the plugin that this program carries. It is nil if the program carries none. note
// receives warnings.
var Command func(note func(string)) ([]string, error)
