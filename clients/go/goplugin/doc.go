// Package goplugin hosts the registry with HashiCorp's go-plugin, and sends it HTTP requests over gRPC:
//
//	client := plugin.NewClient(&plugin.ClientConfig{
//		HandshakeConfig:  goplugin.Handshake,
//		Plugins:          goplugin.Plugins,
//		Cmd:              exec.Command("udist-plugin", "--grpc"),
//		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
//	})
//	defer client.Kill()
//	protocol, err := client.Client()
//	if err != nil {
//		return err
//	}
//	registry, err := goplugin.Dispense(protocol)
//	if err != nil {
//		return err
//	}
//	response, err := (&http.Client{Transport: registry}).Get("http://localhost/v2/_catalog")
//
// The registry's configuration is in REGISTRY_* variables of the command's environment, or in a file that its option
// --config names. AutoMTLS does not work, and need not: only the user of the process can open the socket.
//
// A program that does not use go-plugin for other plugins is better off with package udist, which is several times
// faster for small requests. [NewTransport] is for those that have a gRPC connection to the socket already.
//
// The protocol is specified in proto/PROTOCOL.md, section 16.
package goplugin
