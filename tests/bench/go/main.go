// Command bench measures registries with one client for all of them, and prints the times as JSON.
//
//	bench [-size MiB] [-rounds N] [-run REGEXP] [-disk] NAME=http://HOST:PORT|NAME=FILE …
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

// measurement is what is done with each peer in each round. It returns the times that it took, of one bulk
// transfer or of many small requests.
type measurement struct {
	name string
	disk bool // on a real disk; the others are for a memory file system
	work func(*peer) ([]time.Duration, error)
}

func main() {
	size := flag.Int64("size", 1024, "MiB of the large blob")
	rounds := flag.Int("rounds", 7, "rounds that count")
	run := flag.String("run", "", "only measurements whose name matches")
	disk := flag.Bool("disk", false, "measure small pushes instead")
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
	if !*disk {
		large, err = makeBlob(*size * mib)
		must(err)
		defer os.Remove(large.file.Name())
	}
	for _, p := range peers {
		must(p.prepare(large))
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		must(err)
		must(pprof.StartCPUProfile(file))
		defer pprof.StopCPUProfile()
	}
	times := map[string]map[string][]float64{}
	for _, m := range measurements {
		if m.disk == *disk && chosen.MatchString(m.name) {
			times[m.name], err = takeTurns(m, peers, *rounds)
			must(err)
		}
	}
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
