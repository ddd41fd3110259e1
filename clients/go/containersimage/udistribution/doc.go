// Code generated from ../image by internal/twin; DO NOT EDIT.

// Package udistribution is a containers/image transport whose registry is a plugin: copy.Image reads from and writes
// to a folder or a bucket without a registry server.
//
// Its names and their meaning are those of github.com/migtools/udistribution/pkg/image/udistribution, so that a
// caller changes the import path and nothing else. A transport is registered under its own name, for any number of
// them at once:
//
//	ut, err := udistribution.NewTransportFromNewConfig("", os.Environ())
//	...
//	defer ut.Close()
//	ref, err := alltransports.ParseImageName(ut.Name() + "://alpine")
//
// References are Docker's: a name is normalised (alpine is docker.io/library/alpine), its path without the domain is
// the repository, and the tag is latest if there is none.
//
// The docker transport of containers/image makes its own HTTP client and cannot be given another, so source and
// destination are this package's. Signatures go to and come from the lookaside store that registries.d configures
// for the reference, as with docker://. Sigstore attachments pass through interfaces internal to containers/image and
// are not read or written as signatures; as the images they are (tag sha256-<hex>.sig) they are copied like any other.
package udistribution
