// Package examples shows how to use a spawned plugin with Go's registry libraries. Each of them accepts the
// http.RoundTripper of a udist.Plugin, or an http.Client that uses it, and needs no port. The host in a
// reference can be anything.
//
// Each example creates some content, pushes it and pulls it again. The examples run as tests. They need an
// installed plugin, or its command in the environment variable UDIST_PLUGIN:
//
//	CGO_ENABLED=0 go test -tags containers_image_openpgp ./...
//
// Helm's client accepts the same http.Client (registry.ClientOptHTTPClient). There is no example for it, because
// it adds Kubernetes' client libraries to the build, and uses oras-go internally.
package examples
