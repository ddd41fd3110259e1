// Package udist spawns an OCI registry as a child process and speaks HTTP to it over the child's standard
// input and output: there is no port, no certificate and no server to run. What the registry stores, a
// folder or a bucket, is in the layout of distribution/distribution.
//
// A Plugin hands out an http.RoundTripper and an http.Client, and is itself an http.Handler:
//
//	plugin, err := udist.Spawn(ctx, udist.Config{YAML: config})
//	if err != nil {
//		return err
//	}
//	defer plugin.Close()
//	response, err := plugin.Client().Get("http://localhost/v2/_catalog")
//
// The protocol is described in proto/PROTOCOL.md.
package udist
