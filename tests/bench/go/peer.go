package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"udist.dev/plugin/udist"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	streams      = 64
	streamSize   = 16 * mib
)

// blob is a file to push.
type blob struct {
	file   *os.File
	digest string
	size   int64
}

// peer is a registry, with what prepare put into it.
type peer struct {
	name   string
	base   string // of URLs
	client *http.Client
	close  func()
	pid    int  // of the registry
	piped  bool // a plugin that shares no files

	large    *blob
	parallel []string // digests of blobs of streamSize
	manifest []byte
	serial   atomic.Uint64 // of things that have to differ
}

// open reads NAME=ADDRESS.
func open(argument string) (*peer, error) {
	name, address, ok := strings.Cut(argument, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not NAME=ADDRESS", argument)
	}
	if strings.HasPrefix(address, "http://") {
		base, pid, _ := strings.Cut(address, "#")
		p := listening(name, base)
		_, err := fmt.Sscan(pid, &p.pid)
		return p, err
	}
	files := udist.FilesAlways
	path, piped := strings.CutPrefix(address, "pipe:")
	if piped {
		files = udist.FilesNever
	}
	config, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	plugin, err := udist.Spawn(context.Background(), udist.Config{YAML: string(config), Stderr: os.Stderr, Files: files})
	if err != nil {
		return nil, err
	}
	return &peer{
		name: name, base: "http://localhost", client: plugin.Client(), close: func() { _ = plugin.Close() },
		pid: plugin.PID(), piped: piped,
	}, nil
}

// listening is a registry at a URL.
func listening(name, base string) *peer {
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * streams, DisableCompression: true}
	return &peer{
		name: name, base: base, client: &http.Client{Transport: transport}, close: transport.CloseIdleConnections,
	}
}

// processor is the time that this process and the registry's have used so far.
func (p *peer) processor() time.Duration { return processor(os.Getpid()) + processor(p.pid) }

// idle is the memory of a registry that has done nothing but answer once.
func (p *peer) idle() *memory {
	response, err := p.client.Get(p.base + "/v2/")
	must(err)
	must(response.Body.Close())
	return &memory{Idle: resident(p.pid, "VmRSS")}
}

// prepare pushes a manifest and, if there is one, the large blob.
func (p *peer) prepare(large *blob) error {
	p.large = large
	config := []byte("{}")
	if err := p.pushSmall(config); err != nil {
		return err
	}
	p.manifest = fmt.Appendf(nil,
		`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[]}`,
		manifestType, emptyType, digestOf(config))
	if err := p.pushManifest("latest", p.manifest); err != nil || large == nil {
		return err
	}
	return p.pushLarge()
}

// push pushes a blob whose digest is known, with one PUT.
func (p *peer) push(digest string, content io.Reader, size int64) error {
	response, err := p.do(http.MethodPost, "blobs/uploads/", nil, 0, http.StatusAccepted)
	if err != nil {
		return err
	}
	location, err := response.Request.URL.Parse(response.Header.Get("Location"))
	if err != nil {
		return err
	}
	query := location.Query()
	query.Set("digest", digest)
	location.RawQuery = query.Encode()
	_, err = p.send(http.MethodPut, location, content, size, "", http.StatusCreated)
	return err
}

func (p *peer) pushManifest(reference string, content []byte) error {
	target, err := url.Parse(p.url("manifests/" + reference))
	if err != nil {
		return err
	}
	_, err = p.send(http.MethodPut, target, bytes.NewReader(content), int64(len(content)), manifestType, http.StatusCreated)
	return err
}

func (p *peer) url(path string) string { return p.base + "/v2/bench/blob/" + path }

func (p *peer) do(method, path string, content io.Reader, size int64, status int) (*http.Response, error) {
	target, err := url.Parse(p.url(path))
	if err != nil {
		return nil, err
	}
	return p.send(method, target, content, size, "", status)
}

// send makes an exchange and reads the response, which has to have a status.
func (p *peer) send(
	method string, target *url.URL, content io.Reader, size int64, mediaType string, status int,
) (*http.Response, error) {
	request, err := http.NewRequest(method, target.String(), content)
	if err != nil {
		return nil, err
	}
	request.ContentLength = size
	request.Header.Set("Accept", manifestType)
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != status {
		err = fmt.Errorf("%s %s: %s: %s", method, target, response.Status, text)
	}
	return response, err
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// makeBlob makes a file that does not compress, in the folder for temporary files.
func makeBlob(size int64) (*blob, error) {
	file, err := os.CreateTemp("", "blob-")
	if err != nil {
		return nil, err
	}
	piece := make([]byte, mib)
	rand.Read(piece)
	running := sha256.New()
	for i := range size / mib {
		binary.BigEndian.PutUint64(piece, uint64(i))
		running.Write(piece)
		if _, err := file.Write(piece); err != nil {
			return nil, err
		}
	}
	return &blob{file, fmt.Sprintf("sha256:%x", running.Sum(nil)), size}, nil
}
