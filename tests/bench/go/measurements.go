package main

import (
	"fmt"
	"net/http"
	"time"
)

const (
	requests = 300 // small requests in a round, one after the other
	pushes   = 40  // small pushes in a round
	atOnce   = 16  // callers that push at once
)

var measurements = append([]measurement{
	{"pull", inMemory, true, func(p *peer) ([]time.Duration, error) { return timed(p.pullLarge) }},
	{"hashing pull", inMemory, true, func(p *peer) ([]time.Duration, error) { return timed(p.pullHashing) }},
	{"pull into a file", inMemory, true, pullToFile},
	{"pull into a file that shares extents", shared, false, pullToFile},
	{"push from a file that shares extents", shared, false, func(p *peer) ([]time.Duration, error) {
		return pushAgain(p, p.pushFile)
	}},
	{"sha256", inMemory, false, func(p *peer) ([]time.Duration, error) { return timed(p.hashLarge) }},
	{"push", inMemory, true, func(p *peer) ([]time.Duration, error) { return pushAgain(p, p.pushLarge) }},
	{"push from a file", inMemory, true, func(p *peer) ([]time.Duration, error) { return pushAgain(p, p.pushFile) }},
	{"parallel pulls", inMemory, true, func(p *peer) ([]time.Duration, error) { return timed(p.pullParallel) }},
	{"HEAD blob beside a pull", inMemory, true, headBesidePull},
	{"HEAD blob beside unread pulls", unread, true, headBesideUnread},
	{"16 callers push 4 KiB", inMemory, false, pushBlobsAtOnce},
	{"16 callers push 4 KiB to a disk", onDisk, false, pushBlobsAtOnce},
	{"push 4 KiB", onDisk, false, func(p *peer) ([]time.Duration, error) { return repeated(pushes, p.pushNextBlob) }},
	{"push manifest", onDisk, false, func(p *peer) ([]time.Duration, error) { return repeated(pushes, p.pushNextManifest) }},
	{"list tags", lists, false, func(p *peer) ([]time.Duration, error) {
		return timed(func() error { return p.list("/v2/listed/tags/list") })
	}},
	{"list a page of tags", lists, false, func(p *peer) ([]time.Duration, error) {
		return repeated(10, func() error { return p.page("/v2/listed/tags/list?n=100", 100) })
	}},
	{"list repositories", lists, false, func(p *peer) ([]time.Duration, error) {
		return timed(func() error { return p.list("/v2/_catalog?n=1000") })
	}},
}, small()...)

// small are the measurements of small requests, by one caller and by several at once.
func small() (all []measurement) {
	for _, each := range []struct {
		name string
		work func(*peer) error
	}{
		{"HEAD blob", (*peer).head},
		{"GET manifest", func(p *peer) error { return p.small(http.MethodGet, "manifests/latest") }},
		{"GET manifest by digest", func(p *peer) error {
			return p.small(http.MethodGet, "manifests/"+digestOf(p.manifest))
		}},
	} {
		all = append(all, measurement{each.name, inMemory, false, func(p *peer) ([]time.Duration, error) {
			return repeated(requests, func() error { return each.work(p) })
		}})
		for _, callers := range []int{4, 16, 64} {
			name := fmt.Sprintf("%s by %d callers", each.name, callers)
			all = append(all, measurement{name, inMemory, false, func(p *peer) ([]time.Duration, error) {
				return shareOut(callers, requestsAtOnce, func(int) error { return each.work(p) })
			}})
		}
	}
	return all
}
