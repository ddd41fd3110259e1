package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	requestsAtOnce = 1600 // small requests in a round, by all callers together
	pullsBeside    = 2    // bulk pulls beside small requests, or more if the requests take longer
	unreadPulls    = 1000
	opening        = time.Minute // to open them
)

func (p *peer) head() error { return p.small(http.MethodHead, "blobs/"+p.large.digest) }

func (p *peer) small(method, path string) error {
	_, err := p.do(method, path, nil, 0, http.StatusOK)
	return err
}

// shareOut lets callers take pieces of work in turn, at once, and times the whole.
func shareOut(callers, pieces int, work func(piece int) error) ([]time.Duration, error) {
	var taken atomic.Int64
	failures := make([]error, callers)
	return timed(func() error {
		var group sync.WaitGroup
		for i := range callers {
			group.Go(func() {
				for failures[i] == nil {
					piece := int(taken.Add(1)) - 1
					if piece >= pieces {
						return
					}
					failures[i] = work(piece)
				}
			})
		}
		group.Wait()
		return errors.Join(failures...)
	})
}

func headBesidePull(p *peer) ([]time.Duration, error) {
	var done atomic.Bool
	pulled := make(chan error, 1)
	go func() {
		var err error
		for count := 0; err == nil && (count < pullsBeside || !done.Load()); count++ {
			err = p.pullLarge()
		}
		pulled <- err
	}()
	took, err := repeated(requests, p.head)
	done.Store(true)
	return took, errors.Join(err, <-pulled)
}

// headBesideUnread makes small requests while many responses are open that nobody reads.
func headBesideUnread(p *peer) (took []time.Duration, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	late := time.AfterFunc(opening, cancel)
	for i := range unreadPulls {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url("blobs/"+p.large.digest), nil)
		if err != nil {
			return nil, err
		}
		response, err := p.client.Do(request)
		if err != nil {
			return nil, fmt.Errorf("response %d of %d: %w", i+1, unreadPulls, err)
		}
		defer response.Body.Close()
	}
	late.Stop()
	return repeated(requests, p.head)
}
