package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const buffer = 256 << 10

// ignored is a consumer that only reads.
func ignored([]byte) {}

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
	if err != io.EOF {
		return err
	}
	return complete(response, total, size)
}

func complete(response *http.Response, total, size int64) error {
	if response.StatusCode != http.StatusOK || total != size {
		return fmt.Errorf("pull: %s, %d bytes of %d", response.Status, total, size)
	}
	return nil
}

func (p *peer) pullLarge() error { return p.pull(p.large.digest, p.large.size, ignored) }

func (p *peer) pullHashing() error {
	running := sha256.New()
	err := p.pull(p.large.digest, p.large.size, func(piece []byte) { running.Write(piece) })
	if digest := fmt.Sprintf("sha256:%x", running.Sum(nil)); err == nil && digest != p.large.digest {
		err = errors.New("pulled " + digest)
	}
	return err
}

// pullToFile copies the blob into a new file on the store's file system. Removing the file is not timed.
func pullToFile(p *peer) ([]time.Duration, error) {
	file, err := os.CreateTemp("", "pulled-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	return timed(func() error {
		response, err := p.client.Get(p.url("blobs/" + p.large.digest))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		total, err := io.Copy(file, response.Body)
		if err != nil {
			return err
		}
		return complete(response, total, p.large.size)
	})
}

// pullParallel pulls all at once what it pushes in the round that does not count.
func (p *peer) pullParallel() error {
	if p.parallel == nil {
		if err := p.pushParallel(); err != nil {
			return err
		}
	}
	_, err := shareOut(len(p.parallel), len(p.parallel), func(i int) error {
		return p.pull(p.parallel[i], streamSize, ignored)
	})
	return err
}
