// Package udistribution is a containers/image transport whose registry is a plugin. With it, copy.Image reads from and
// writes to a folder or a bucket without a registry server.
//
// Its names and their meaning are those of github.com/migtools/udistribution/pkg/image/udistribution, so to migrate,
// change only the import path. Every transport is registered under its own name, so there can be any number of them:
//
//	ut, err := udistribution.NewTransportFromNewConfig("", os.Environ())
//	...
//	defer ut.Close()
//	ref, err := alltransports.ParseImageName(ut.Name() + "://alpine")
//
// References have the same form as Docker's. A name is normalized (alpine means docker.io/library/alpine), its path
// without the domain is the repository, and the default tag is latest.
//
// This package has its own source and destination, because the docker transport of containers/image does not accept an
// HTTP client. Signatures are read from and written to the lookaside store that registries.d configures for the
// reference, as with docker://. Sigstore attachments use interfaces internal to containers/image, so they are not read
// or written as signatures. They can be copied as images, with the tag sha256-<hex>.sig.
//
// Warnings and errors in the plugin's log are written to os.Stderr.
package udistribution
