// Command callers drives clients/go for udist_plugin.testing.callers. udist_plugin/docs/callers.md describes the lines
// that it reads and writes.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	d := driver{exchanges: map[string]*exchange{}}
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return
		}
		if err := d.do(strings.Split(strings.TrimSuffix(line, "\n"), " ")); err != nil {
			fmt.Fprintf(os.Stderr, "%q: %v\n", line, err)
			os.Exit(2)
		}
	}
}
