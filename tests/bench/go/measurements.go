package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	requests = 300 // small requests in a round
	pushes   = 40  // small pushes in a round
	buffer   = 256 << 10
	listed   = 10_000
)

var measurements = []measurement{
	{"pull", inMemory, func(p *peer) ([]time.Duration, error) {
		return timed(func() error { return p.pull(p.large.digest, p.large.size, ignored) })
	}},
	{"hashing pull", inMemory, func(p *peer) ([]time.Duration, error) { return timed(p.pullHashing) }},
	{"push", inMemory, pushAgain},
	{"GET manifest", inMemory, func(p *peer) ([]time.Duration, error) {
		return repeated(requests, func() error { return p.small(http.MethodGet, "manifests/latest") })
	}},
	{"GET manifest by digest", inMemory, func(p *peer) ([]time.Duration, error) {
		return repeated(requests, func() error { return p.small(http.MethodGet, "manifests/"+digestOf(p.manifest)) })
	}},
	{"HEAD blob", inMemory, func(p *peer) ([]time.Duration, error) { return repeated(requests, p.head) }},
	{"parallel pulls", inMemory, func(p *peer) ([]time.Duration, error) { return timed(p.pullParallel) }},
	{"HEAD blob beside a pull", inMemory, headBesidePull},
	{"push manifest", onDisk, func(p *peer) ([]time.Duration, error) { return repeated(pushes, p.pushNextManifest) }},
	{"push 4 KiB", onDisk, pushNextBlobs},
	{"list tags", lists, func(p *peer) ([]time.Duration, error) {
		return timed(func() error { return p.list("/v2/listed/tags/list") })
	}},
	{"list repositories", lists, func(p *peer) ([]time.Duration, error) {
		return timed(func() error { return p.list("/v2/_catalog?n=1000") })
	}},
}

// ignored is a consumer that only reads.
func ignored([]byte) {}

func timed(work func() error) ([]time.Duration, error) { return repeated(1, work) }

// repeated does work back to back, and times each.
func repeated(times int, work func() error) ([]time.Duration, error) {
	took := make([]time.Duration, times)
	for i := range took {
		start := time.Now()
		if err := work(); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	return took, nil
}

// pull reads a blob of size bytes into one buffer, over and over, which it shows to the consumer.
func (p *peer) pull(digest string, size int64, consume func([]byte)) error {
	response, err := p.client.Get(p.url("blobs/" + digest))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	piece := make([]byte, buffer)
	var total int64
	for err == nil {
		var n int
		n, err = response.Body.Read(piece)
		consume(piece[:n])
		total += int64(n)
	}
	switch {
	case err != io.EOF:
		return err
	case response.StatusCode != http.StatusOK || total != size:
		return fmt.Errorf("pull: %s, %d bytes of %d", response.Status, total, size)
	}
	return nil
}

func (p *peer) pullHashing() error {
	running := sha256.New()
	err := p.pull(p.large.digest, p.large.size, func(piece []byte) { running.Write(piece) })
	if digest := fmt.Sprintf("sha256:%x", running.Sum(nil)); err == nil && digest != p.large.digest {
		err = errors.New("pulled " + digest)
	}
	return err
}

// pullParallel pulls all at once what it pushes in the round that does not count.
func (p *peer) pullParallel() error {
	if p.parallel == nil {
		if err := p.pushParallel(); err != nil {
			return err
		}
	}
	var group sync.WaitGroup
	failures := make([]error, len(p.parallel))
	for i, digest := range p.parallel {
		group.Go(func() { failures[i] = p.pull(digest, streamSize, ignored) })
	}
	group.Wait()
	return errors.Join(failures...)
}

// pushAgain takes the blob from its repository first, so that this is a push; its bytes are written again.
func pushAgain(p *peer) ([]time.Duration, error) {
	if _, err := p.do(http.MethodDelete, "blobs/"+p.large.digest, nil, 0, http.StatusAccepted); err != nil {
		return nil, err
	}
	return timed(p.pushLarge)
}

func (p *peer) head() error { return p.small(http.MethodHead, "blobs/"+p.large.digest) }

func (p *peer) small(method, path string) error {
	_, err := p.do(method, path, nil, 0, http.StatusOK)
	return err
}

func headBesidePull(p *peer) ([]time.Duration, error) {
	var done atomic.Bool
	pulled := make(chan error, 1)
	go func() {
		var err error
		for err == nil && !done.Load() {
			err = p.pull(p.large.digest, p.large.size, ignored)
		}
		pulled <- err
	}()
	took, err := repeated(requests, p.head)
	done.Store(true)
	return took, errors.Join(err, <-pulled)
}

// list reads a list to the end of its last page.
func (p *peer) list(path string) error {
	count := 0
	for path != "" {
		response, err := p.client.Get(p.base + path)
		if err != nil {
			return err
		}
		var page struct{ Tags, Repositories []string }
		err = json.NewDecoder(response.Body).Decode(&page)
		response.Body.Close()
		if err != nil {
			return err
		}
		count += len(page.Tags) + len(page.Repositories)
		_, rest, _ := strings.Cut(response.Header.Get("Link"), "<")
		path, _, _ = strings.Cut(rest, ">")
	}
	if count < listed {
		return fmt.Errorf("a list of %d, expected %d", count, listed)
	}
	return nil
}

// pushNextManifest pushes a manifest that was not there before, and a tag.
func (p *peer) pushNextManifest() error {
	p.serial++
	tag := fmt.Sprintf("v%d", p.serial)
	annotated := fmt.Sprintf(`],"annotations":{"org.opencontainers.image.version":%q}}`, tag)
	return p.pushManifest(tag, bytes.Replace(p.manifest, []byte("]}"), []byte(annotated), 1))
}

// pushNextBlobs pushes blobs that were not there before.
func pushNextBlobs(p *peer) ([]time.Duration, error) {
	content := make([]byte, 4<<10)
	rand.Read(content)
	return repeated(pushes, func() error {
		p.mark(content)
		return p.pushSmall(content)
	})
}
