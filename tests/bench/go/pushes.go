package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// pushAgain takes the blob from its repository first, so that this is a push; its bytes are written again.
func pushAgain(p *peer, push func() error) ([]time.Duration, error) {
	if _, err := p.do(http.MethodDelete, "blobs/"+p.large.digest, nil, 0, http.StatusAccepted); err != nil {
		return nil, err
	}
	return timed(push)
}

// pushLarge pushes the large blob from a reader that hides its file.
func (p *peer) pushLarge() error {
	if _, err := p.large.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.push(p.large.digest, struct{ io.Reader }{p.large.file}, p.large.size)
}

// pushFile pushes the large blob from its file.
func (p *peer) pushFile() error {
	file, err := os.Open(p.large.file.Name())
	if err != nil {
		return err
	}
	defer file.Close()
	return p.push(p.large.digest, file, p.large.size)
}

// hashLarge hashes as many bytes as the large blob has, which is a limit to pushes. The peer takes no part.
func (p *peer) hashLarge() error {
	piece, running := make([]byte, mib), sha256.New()
	for range p.large.size / mib {
		running.Write(piece)
	}
	return nil
}

// pushSmall pushes content from memory.
func (p *peer) pushSmall(content []byte) error {
	return p.push(digestOf(content), bytes.NewReader(content), int64(len(content)))
}

// pushParallel pushes the blobs to pull in parallel.
func (p *peer) pushParallel() error {
	for range streams {
		content := p.next(streamSize)
		if err := p.pushSmall(content); err != nil {
			return err
		}
		p.parallel = append(p.parallel, digestOf(content))
	}
	return nil
}

// pushNextBlob pushes a blob that was not there before.
func (p *peer) pushNextBlob() error { return p.pushSmall(p.next(4 << 10)) }

func pushBlobsAtOnce(p *peer) ([]time.Duration, error) {
	return shareOut(atOnce, atOnce*pushes, func(int) error { return p.pushNextBlob() })
}

// pushNextManifest pushes a manifest that was not there before, and a tag.
func (p *peer) pushNextManifest() error {
	tag := fmt.Sprintf("v%d", p.serial.Add(1))
	annotated := fmt.Sprintf(`],"annotations":{"org.opencontainers.image.version":%q}}`, tag)
	return p.pushManifest(tag, bytes.Replace(p.manifest, []byte("]}"), []byte(annotated), 1))
}

// next makes content that differs from all before.
func (p *peer) next(size int) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, size-8, size), p.serial.Add(1))
}
