// Command bench measures registries with one client for all of them, and prints the times as JSON, in seconds; beside them, the
// most memory that a plugin had resident, in bytes.
//
//	bench [-size MiB] [-rounds N] [-run REGEXP] [-kind KIND] NAME=http://HOST:PORT|NAME=FILE …
//
// A peer is a registry that listens, or a plugin, given by its configuration file. Peers take turns within
// each round, and a round that does not count goes before.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"runtime/pprof"
	"time"
)

const mib = 1 << 20

// Kinds of measurements, by the store that they are for.
const (
	inMemory = "memory" // a memory file system, or an object store
	onDisk   = "disk"
	lists    = "lists" // a store that has listed tags and as many repositories
)

// measurement is what is done with each peer in each round. It returns the times that it took, of one bulk
// transfer or of many small requests.
type measurement struct {
	name string
	kind string
	work func(*peer) ([]time.Duration, error)
}

func main() {
	size := flag.Int64("size", 1024, "MiB of the large blob")
	rounds := flag.Int("rounds", 7, "rounds that count")
	run := flag.String("run", "", "only measurements whose name matches")
	kind := flag.String("kind", inMemory, "measure what is for such a store: memory, disk or lists")
	profile := flag.String("cpuprofile", "", "write a profile of this client")
	flag.Parse()
	log.SetFlags(0)
	chosen, err := regexp.Compile(*run)
	must(err)

	var peers []*peer
	for _, argument := range flag.Args() {
		p, err := open(argument)
		must(err)
		defer p.close()
		peers = append(peers, p)
	}
	var large *blob
	if *kind == inMemory {
		large, err = makeBlob(*size * mib)
		must(err)
		defer os.Remove(large.file.Name())
	}
	for _, p := range peers {
		if *kind != lists {
			must(p.prepare(large))
		}
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		must(err)
		must(pprof.StartCPUProfile(file))
		defer pprof.StopCPUProfile()
	}
	times := map[string]map[string][]float64{}
	for _, m := range measurements {
		if m.kind == *kind && chosen.MatchString(m.name) {
			times[m.name], err = takeTurns(m, peers, *rounds)
			must(err)
		}
	}
	peaks := map[string][]float64{}
	for _, p := range peers {
		if peak, err := p.peak(); err == nil {
			peaks[p.name] = []float64{peak}
		}
	}
	times["peak memory"] = peaks
	must(json.NewEncoder(os.Stdout).Encode(times))
}

// takeTurns returns the times of each peer, in seconds.
func takeTurns(m measurement, peers []*peer, rounds int) (map[string][]float64, error) {
	times := map[string][]float64{}
	for round := range rounds + 1 {
		for _, p := range peers {
			took, err := m.work(p)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", m.name, p.name, err)
			}
			for _, t := range took {
				if round > 0 {
					times[p.name] = append(times[p.name], t.Seconds())
				}
			}
		}
	}
	return times, nil
}

func must(err error) {
	if err != nil {
		log.Fatalf("bench: %v", err)
	}
}
