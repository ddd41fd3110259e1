// Package examples shows Go's registry libraries over a spawned plugin: none of them sees a port, and what
// each takes is the http.RoundTripper of udist.Plugin, or an http.Client with it. The host in a reference
// is free to choose.
//
// Each example pushes and pulls something that it makes. They run as tests, with a plugin that is installed
// or that UDIST_PLUGIN names:
//
//	go test -tags containers_image_openpgp ./...
//
// Helm's client takes the same http.Client (registry.ClientOptHTTPClient). It is not shown because it pulls
// Kubernetes' client libraries into the build, and is oras-go underneath.
package examples
