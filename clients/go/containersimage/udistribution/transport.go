// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/containers/image/v5/transports"
	"github.com/containers/image/v5/types"
	"udist.dev/plugin/udist/containersimage/client"
	"udist.dev/plugin/udist/containersimage/constants"
	"udist.dev/plugin/udist/internal/distribution"
)

// UdistributionTransport is a [types.ImageTransport] for the images in one plugin. It is safe for concurrent use, and can
// be copied.
type UdistributionTransport struct {
	*client.Client
	name     string
	uuid     string
	registry *distribution.Client
}

// NewTransportFromNewConfig starts a plugin and registers a transport for it. config is a configuration in
// distribution's YAML format, or "" for the defaults. env has the same form as [os.Environ]; its REGISTRY_* variables
// override the configuration.
//
// Close deregisters the transport and stops the plugin. Without Close, the plugin stops when nothing refers to the
// transport or to one of its references any more, unless it stores images in memory. A reference that is then parsed by
// the transport's name starts another plugin with the same configuration.
func NewTransportFromNewConfig(config string, env []string) (*UdistributionTransport, error) {
	c, err := client.NewClient(config, env)
	if err != nil {
		return nil, err
	}
	t := newTransport(c, c.Storage())
	if c.Storage() == "inmemory" {
		transports.Register(t)
	} else {
		transports.Register(newRegistered(t, func() (*client.Client, error) { return client.NewClient(config, env) }))
	}
	return &t, nil
}

// NewTransport registers a transport for client, which is kept until Deregister. name becomes part of the transport's
// name and must not contain a colon; by convention it is the name of the storage driver.
func NewTransport(client *client.Client, name string) *UdistributionTransport {
	t := newTransport(client, name)
	transports.Register(t)
	return &t
}

func newTransport(client *client.Client, name string) UdistributionTransport {
	return UdistributionTransport{Client: client, name: name, uuid: newUUID(), registry: distribution.New(client)}
}

// Name returns "udistribution-<name>-<uuid>", which has no colon, so that alltransports.ParseImageName accepts
// <Name()>://<reference>.
func (t UdistributionTransport) Name() string {
	return constants.TransportPrefix + t.name + "-" + t.uuid
}

// ParseReference parses "//name[:tag|@digest]". The default tag is latest.
func (t UdistributionTransport) ParseReference(reference string) (types.ImageReference, error) {
	return ParseReference(reference, &t)
}

// ValidatePolicyConfigurationScope accepts every scope, like docker://. A scope that does not exist never matches.
func (t UdistributionTransport) ValidatePolicyConfigurationScope(scope string) error {
	return nil
}

// Deregister removes the transport's name from containers/image. Existing references keep working until Close.
func (t UdistributionTransport) Deregister() {
	transports.Delete(t.Name())
}

// Close deregisters the transport and stops its plugin. See [udist.dev/plugin/udist.Plugin.Close] for what happens to
// open responses.
func (t UdistributionTransport) Close() error {
	t.Deregister()
	return t.Client.Close()
}

// newUUID returns a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var errNoTransport = errors.New("image reference without a transport: pass the one returned by NewTransport or NewTransportFromNewConfig")
