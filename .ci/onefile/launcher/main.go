// Command launcher is the head of the file that is udist: it unpacks the archive behind it once, into the user's
// cache, and starts the Python that it finds there.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const plugin = "udist-plugin"

func main() {
	err := start(os.Args)
	fmt.Fprintf(os.Stderr, "udist: %v\n", err)
	os.Exit(1)
}

// start becomes the program that the call asks for; it returns only if that fails.
func start(arguments []string) error {
	program, arguments := programOf(arguments)
	self, err := openSelf()
	if err != nil {
		return err
	}
	carried, err := readCarried(self)
	if err != nil {
		return err
	}
	folder, err := unpacked(carried)
	if err != nil {
		return err
	}
	command := commandIn(folder, carried)
	command = append(command, filepath.Join(folder, "start.pyc"), program)
	err = syscall.Exec(command[0], append(command, arguments...), os.Environ())
	return fmt.Errorf("cannot start %s: %w", command[0], err)
}

// programOf takes the program's name off the words of a call.
func programOf(words []string) (string, []string) {
	switch {
	case len(words) > 0 && filepath.Base(words[0]) == plugin:
		return plugin, words[1:]
	case len(words) > 1 && words[1] == plugin:
		return plugin, words[2:]
	case len(words) > 0:
		return "udist", words[1:]
	}
	return "udist", nil
}

// commandIn starts the interpreter, by the loader that is carried with it where there is one: so nothing depends on
// the system's C library. Nothing of the user's Python settings reaches it.
func commandIn(folder string, carried *carried) []string {
	python := filepath.Join(folder, carried.python)
	var command []string
	if carried.loader != "" {
		command = []string{filepath.Join(folder, carried.loader), "--library-path", filepath.Join(folder, "lib")}
	}
	return append(command, python, "-I", "-S", "-B", "-X", "utf8")
}
