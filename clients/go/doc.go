// Package udist spawns an OCI registry as a child process and sends it HTTP requests over the child's standard
// input and output. There is no server to run, and no port or certificate to manage. The registry stores its
// content in a folder or a bucket, in the layout of distribution/distribution.
//
// A [Plugin] provides an [http.RoundTripper] and an [http.Client], and is itself an [http.Handler]:
//
//	plugin, err := udist.Spawn(ctx, udist.Config{YAML: config})
//	if err != nil {
//		return err
//	}
//	defer plugin.Close()
//	response, err := plugin.Client().Get("http://localhost/v2/_catalog")
//
// Unless [Config] says otherwise, warnings and errors in the plugin's log are written to [os.Stderr].
//
// The protocol is specified in proto/PROTOCOL.md.
package udist
