package udistribution

import (
	"fmt"
	"sync"
	"weak"

	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/image/client"
	"udist.dev/plugin/udist/internal/distribution"
)

// registered is what containers/image finds under a transport's name. It does not keep the transport's plugin running,
// and starts another if the name is used after that plugin has stopped.
type registered struct {
	transport UdistributionTransport // without a client
	start     func() (*client.Client, error)

	mu     sync.Mutex
	client weak.Pointer[client.Client]
}

func newRegistered(t UdistributionTransport, start func() (*client.Client, error)) *registered {
	r := &registered{transport: t, start: start, client: weak.Make(t.Client)}
	r.transport.Client, r.transport.registry = nil, nil
	return r
}

// Name returns the name of the transport.
func (r *registered) Name() string { return r.transport.Name() }

// ParseReference parses "//name[:tag|@digest]".
func (r *registered) ParseReference(reference string) (types.ImageReference, error) {
	t, err := r.running()
	if err != nil {
		return nil, err
	}
	return t.ParseReference(reference)
}

// ValidatePolicyConfigurationScope accepts every scope.
func (r *registered) ValidatePolicyConfigurationScope(scope string) error {
	return r.transport.ValidatePolicyConfigurationScope(scope)
}

// running returns the transport with a running plugin.
func (r *registered) running() (UdistributionTransport, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.transport
	if t.Client = r.client.Value(); t.Client == nil {
		var err error
		if t.Client, err = r.start(); err != nil {
			return t, fmt.Errorf("starting the plugin of %s again: %w", t.Name(), err)
		}
		r.client = weak.Make(t.Client)
	}
	t.registry = distribution.New(t.Client)
	return t, nil
}
