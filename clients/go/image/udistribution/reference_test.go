package udistribution_test

import (
	"slices"
	"strings"
	"testing"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/image/client"
	"udist.dev/plugin/udist/image/udistribution"
)

const someDigest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// unplugged is a transport whose plugin is never asked anything.
func unplugged(t *testing.T) *udistribution.UdistributionTransport {
	ut := udistribution.NewTransport(client.New(&counted{Plugin: nowhere{}}), "test")
	t.Cleanup(ut.Deregister)
	return ut
}

type nowhere struct{ client.Plugin }

func (nowhere) Close() error { return nil }

func TestParseReference(t *testing.T) {
	ut := unplugged(t)
	for _, c := range []struct{ given, docker, within string }{
		{"//busybox", "docker.io/library/busybox:latest", "//busybox:latest"},
		{"//busybox:old", "docker.io/library/busybox:old", "//busybox:old"},
		{"//busybox" + someDigest, "docker.io/library/busybox" + someDigest, "//busybox" + someDigest},
		{"//docker.io/library/busybox:latest", "docker.io/library/busybox:latest", "//busybox:latest"},
		{"//ns/is:tag", "docker.io/ns/is:tag", "//ns/is:tag"},
		{"//example.com:5000/ns/is:tag", "example.com:5000/ns/is:tag", "//example.com:5000/ns/is:tag"},
	} {
		ref, err := udistribution.ParseReference(c.given, ut)
		if err != nil {
			t.Fatalf("%s: %v", c.given, err)
		}
		again, err := ref.Transport().ParseReference(ref.StringWithinTransport())
		if err != nil {
			t.Fatalf("%s: %v", c.given, err)
		}
		for _, r := range []types.ImageReference{ref, again} {
			if got := r.DockerReference().String(); got != c.docker {
				t.Errorf("%s: Docker reference %s, expected %s", c.given, got, c.docker)
			}
			if got := r.StringWithinTransport(); got != c.within {
				t.Errorf("%s: %s within its transport, expected %s", c.given, got, c.within)
			}
			if got := r.PolicyConfigurationIdentity(); got != c.docker {
				t.Errorf("%s: policy identity %s, expected %s", c.given, got, c.docker)
			}
			if udistribution.GetRef(r).String() != c.docker || r.Transport().Name() != ut.Name() {
				t.Errorf("%s: another reference or transport", c.given)
			}
			if err := ut.ValidatePolicyConfigurationScope(r.PolicyConfigurationIdentity()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestPolicyNamespaces(t *testing.T) {
	ref, err := unplugged(t).ParseReference("//example.com/ns/is")
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{"example.com/ns/is", "example.com/ns", "example.com", "*.com"}
	if got := ref.PolicyConfigurationNamespaces(); !slices.Equal(got, expected) {
		t.Errorf("%q, expected %q", got, expected)
	}
}

// TestBadReferences shows that an error says what is wrong and what is accepted.
func TestBadReferences(t *testing.T) {
	ut := unplugged(t)
	for given, wrong := range map[string]string{
		"busybox":                            `"busybox" does not start with //`,
		"//":                                 "invalid reference format",
		"//UPPERCASE":                        "must be lowercase",
		"//name:tag:tag":                     "invalid reference format",
		"//name:" + strings.Repeat("t", 129): "invalid reference format",
		"//name@sha256:short":                "invalid reference format",
		"//busybox:latest" + someDigest:      "has both a tag and a digest",
	} {
		_, err := ut.ParseReference(given)
		if err == nil || !strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), "expected //name[:tag] or //name@digest") {
			t.Errorf("%s: %v", given, err)
		}
	}
	name, err := reference.ParseNormalizedNamed("busybox")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := udistribution.NewReference(name, ut); err == nil || !strings.Contains(err.Error(), "neither a tag nor a digest") {
		t.Error(err)
	}
	if _, err := udistribution.ParseReference("//busybox", nil); err == nil || !strings.Contains(err.Error(), "without a transport") {
		t.Error(err)
	}
}

// TestForeignReferences gives references of another transport to the functions that need ours.
func TestForeignReferences(t *testing.T) {
	ref, err := docker.ParseReference("//busybox")
	if err != nil {
		t.Fatal(err)
	}
	if got := udistribution.GetRef(ref); got != nil {
		t.Errorf("GetRef: %v", got)
	}
	_, tags := udistribution.GetRepositoryTags(t.Context(), nil, ref)
	_, digest := udistribution.GetDigest(t.Context(), nil, ref)
	for _, err := range []error{tags, digest} {
		if err == nil || !strings.Contains(err.Error(), "belongs to transport docker") {
			t.Error(err)
		}
	}
}
