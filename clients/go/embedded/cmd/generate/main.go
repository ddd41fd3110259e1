// Generate writes a package that makes a program carry its plugin:
//
//	go run udist.dev/plugin/udist/embedded/cmd/generate -from udist -to internal/udistplugin
//
// -from is the file udist of a release, or one that was built from a checkout. Files for several platforms can be
// written into the same folder; each goes only into programs for its platform, which the file itself tells. -platform
// and -sha256 state what the file must be. A file for this machine is also started, and its version compared with the
// one of this module.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	from := flag.String("from", "", "the executable `FILE` udist")
	to := flag.String("to", "udistplugin", "the `FOLDER` of the package; its last part is the package's name")
	wanted := flag.String("platform", "", "the platform that the file must be for, such as linux/amd64")
	digest := flag.String("sha256", "", "the SHA-256 that the file must have, in hexadecimal")
	flag.Parse()
	if *from == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*from, *to, *wanted, *digest); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(from, to, wanted, digest string) error {
	program, err := read(from, wanted, digest)
	if err != nil {
		return err
	}
	version := "not started, because it is for another platform"
	if program.platform == (platform{runtime.GOOS, runtime.GOARCH}) {
		if version, err = start(from); err != nil {
			return err
		}
		if warning := compare(version); warning != "" {
			fmt.Fprintln(os.Stderr, "generate: warning:", warning)
		}
	}
	absolute, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if err := write(program, absolute); err != nil {
		return err
	}
	fmt.Printf("%s: %s, %d MiB, sha256:%s (%s)\n", to, program.platform, len(program.content)>>20, program.digest, version)
	return nil
}
