// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/containers/image/v5/transports"
	"github.com/containers/image/v5/transports/alltransports"
	"udist.dev/plugin/udist/containersimage/client"
	"udist.dev/plugin/udist/containersimage/udistribution"
)

func TestTransportsFromConfiguration(t *testing.T) {
	var names []string
	for config, storage := range map[string]string{filesystem(t): "filesystem", inmemory: "inmemory"} {
		ut, err := udistribution.NewTransportFromNewConfig(config, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := ut.Close(); err != nil || transports.Get(ut.Name()) != nil {
				t.Errorf("%s is still there: %v", ut.Name(), err)
			}
		}()
		shape := regexp.MustCompile(`^udistribution-` + storage + `-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		if !shape.MatchString(ut.Name()) {
			t.Errorf("name %s of a transport to %s", ut.Name(), storage)
		}
		names = append(names, ut.Name())
	}
	for _, name := range names {
		ref, err := alltransports.ParseImageName(name + "://alpine")
		if err != nil {
			t.Fatal(err)
		}
		if ref.Transport().Name() != name || transports.ImageName(ref) != name+"://alpine:latest" {
			t.Errorf("%s: became %s", name, transports.ImageName(ref))
		}
	}
}

func TestWrongConfiguration(t *testing.T) {
	before := len(transports.ListNames())
	_, err := udistribution.NewTransportFromNewConfig("version: 0.1\nstorage:\n  nosuchdriver: {}\n", nil)
	if err == nil || !strings.Contains(err.Error(), "nosuchdriver") {
		t.Errorf("the error does not name the driver: %v", err)
	}
	if after := len(transports.ListNames()); after != before {
		t.Errorf("%d transports more", after-before)
	}
}

// TestDeregister shows that a reference outlives the name, and that Close ends both.
func TestDeregister(t *testing.T) {
	ut, err := udistribution.NewTransportFromNewConfig(inmemory, nil)
	if err != nil {
		t.Fatal(err)
	}
	ref := parse(t, ut.Name()+"://alpine")
	ut.Deregister()
	if _, err := alltransports.ParseImageName(ut.Name() + "://alpine"); err == nil {
		t.Error("the name is still known")
	}
	if _, err := udistribution.GetDigest(t.Context(), nil, ref); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("of an image that is not there: %v", err)
	}
	if err := ut.Close(); err != nil {
		t.Error(err)
	}
	if _, err := udistribution.GetDigest(t.Context(), nil, ref); err == nil || strings.Contains(err.Error(), "404") {
		t.Errorf("of a plugin that has ended: %v", err)
	}
}

// TestClientIsHandler is udistribution's README: a registry in a recorder.
func TestClientIsHandler(t *testing.T) {
	c, err := client.NewClient(inmemory, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/_catalog", nil))
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "repositories") {
		t.Errorf("GET /v2/_catalog: %d %s", answer.Code, answer.Body)
	}
}
