package main

import (
	"fmt"
	"time"
)

// measurement is what is done with each peer in each round. It returns the times that it took, of one piece of work
// or of many small requests.
type measurement struct {
	name  string
	kind  string
	piped bool // has a figure over the pipe, too
	work  func(*peer) ([]time.Duration, error)
}

// result is what a measurement took with one peer, in seconds.
type result struct {
	Seconds   []float64 `json:"seconds"`   // of each thing timed
	Processor []float64 `json:"processor"` // of this process and the registry's together, in each round
}

// takeTurns does the work with each peer in each round. Start and set-up happen before the first round, or in the one
// that does not count, so no figure includes them.
func takeTurns(m measurement, peers []*peer, rounds int) (map[string]*result, error) {
	results := map[string]*result{}
	for round := range rounds + 1 {
		for _, p := range peers {
			if p.piped && !m.piped {
				continue
			}
			before := p.processor()
			took, err := m.work(p)
			spent := p.processor() - before
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", m.name, p.name, err)
			}
			if results[p.name] == nil {
				results[p.name] = &result{}
			}
			if round > 0 {
				results[p.name].add(spent, took...)
			}
		}
	}
	return results, nil
}

func (r *result) add(processor time.Duration, took ...time.Duration) {
	r.Processor = append(r.Processor, processor.Seconds())
	for _, t := range took {
		r.Seconds = append(r.Seconds, t.Seconds())
	}
}

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
