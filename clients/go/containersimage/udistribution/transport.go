// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/containers/image/v5/transports"
	"github.com/containers/image/v5/types"
	"udist.dev/plugin/udist/containersimage/client"
	"udist.dev/plugin/udist/internal/distribution"
)

// transportPrefix begins every transport's name.
const transportPrefix = "udistribution-"

// UdistributionTransport is a [types.ImageTransport] for the images of one plugin. It is safe for concurrent use.
type UdistributionTransport struct {
	*client.Client
	name     string
	uuid     string
	registry *distribution.Client
}

// NewTransportFromNewConfig starts a plugin and registers a transport for it. config is distribution's YAML, "" for
// the defaults; of env, given as by [os.Environ], the REGISTRY_* variables overlay it.
//
// Close ends both; after Deregister alone the plugin ends when no reference to the transport is left.
func NewTransportFromNewConfig(config string, env []string) (*UdistributionTransport, error) {
	c, err := client.NewClient(config, env)
	if err != nil {
		return nil, err
	}
	return NewTransport(c, c.Storage()), nil
}

// NewTransport registers a transport for client. name is a part of the transport's name, by custom the storage
// driver's; it has no colon.
func NewTransport(client *client.Client, name string) *UdistributionTransport {
	t := &UdistributionTransport{
		Client:   client,
		name:     name,
		uuid:     newUUID(),
		registry: distribution.New(client),
	}
	transports.Register(t)
	return t
}

// Name is "udistribution-<name>-<uuid>". It has no colon, so that <Name()>://<reference> is an image name for
// alltransports.ParseImageName.
func (t *UdistributionTransport) Name() string {
	return transportPrefix + t.name + "-" + t.uuid
}

// ParseReference parses "//name[:tag|@digest]". Without tag and digest the tag is latest.
func (t *UdistributionTransport) ParseReference(reference string) (types.ImageReference, error) {
	return ParseReference(reference, t)
}

// ValidatePolicyConfigurationScope accepts every scope, as docker:// does: one that names nothing never matches.
func (t *UdistributionTransport) ValidatePolicyConfigurationScope(scope string) error {
	return nil
}

// Deregister removes the transport from those that containers/image knows by name. References made by it go on
// working until it is closed.
func (t *UdistributionTransport) Deregister() {
	transports.Delete(t.Name())
}

// Close deregisters the transport and ends its plugin. What is under way fails.
func (t *UdistributionTransport) Close() error {
	t.Deregister()
	return t.Client.Close()
}

// newUUID is a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var errNoTransport = errors.New("image reference without a transport: pass the one of NewTransport or NewTransportFromNewConfig")
