package goplugin

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Handshake is what the plugin expects of its host.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "UDIST_PLUGIN_COOKIE",
	MagicCookieValue: "7c1c1e0b5d1f4f0e8a4b9f6e2d3a5c7091b8e6f4d2c0a3957e1b4d6f8a2c5e30",
}

// Name is the registry's name in [Plugins].
const Name = "registry"

// Plugins is for a host's ClientConfig. After a Reattach, go-plugin dispenses from Plugins only, never from
// VersionedPlugins.
var Plugins = plugin.PluginSet{Name: &Plugin{}}

// Plugin dispenses a [*Transport].
type Plugin struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCClient implements [plugin.GRPCPlugin].
func (*Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewTransport(conn), nil
}

// GRPCServer implements [plugin.GRPCPlugin]. The plugin is a program of its own, so this always fails.
func (*Plugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the registry is served by udist-plugin --grpc")
}

// Dispense returns the registry of a client with [Plugins].
func Dispense(protocol plugin.ClientProtocol) (*Transport, error) {
	raw, err := protocol.Dispense(Name)
	if err != nil {
		return nil, err
	}
	transport, ok := raw.(*Transport)
	if !ok {
		return nil, fmt.Errorf("the plugin %q is a %T, not of this package", Name, raw)
	}
	return transport, nil
}
