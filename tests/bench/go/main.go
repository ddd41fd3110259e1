// Command bench measures registries with one client for all of them, and prints as JSON what each measurement took
// and what memory each registry had.
//
//	bench [-size MiB] [-rounds N] [-run REGEXP] [-kind KIND] NAME=ADDRESS …
//
// A peer is a registry that listens (http://HOST:PORT#PROCESS-ID), a plugin (its configuration file), a plugin that
// shares no files (pipe:FILE), or for -kind=start a registry to execute ("exec:URL COMMAND …"). Peers take turns within
// each round, and a round that does not count goes before.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"regexp"
	"runtime/pprof"
)

const mib = 1 << 20

// Kinds of measurements, by the store that they are for.
const (
	inMemory = "memory" // a memory file system, or an object store
	onDisk   = "disk"
	shared   = "shared" // a file system on which files can share extents
	unread   = "unread" // as inMemory; apart because of the memory that it takes
	lists    = "lists"  // a store that has listed tags and as many repositories
	starts   = "start"  // an empty store
)

// report is what this command prints: results by measurement and peer, and memory by peer.
type report struct {
	Times  map[string]map[string]*result `json:"times"`
	Memory map[string]*memory            `json:"memory"`
}

func main() {
	size := flag.Int64("size", 1024, "MiB of the large blob")
	rounds := flag.Int("rounds", 7, "rounds that count")
	run := flag.String("run", "", "only measurements whose name matches")
	kind := flag.String("kind", inMemory, "measure what is for such a store: memory, disk, shared, unread, lists or start")
	profile := flag.String("cpuprofile", "", "write a profile of this client")
	flag.Parse()
	log.SetFlags(0)
	chosen, err := regexp.Compile(*run)
	must(err)

	done := report{map[string]map[string]*result{}, map[string]*memory{}}
	if *kind == starts {
		done.Times["start"], err = startInTurns(flag.Args(), *rounds)
		must(err)
		must(json.NewEncoder(os.Stdout).Encode(done))
		return
	}
	var peers []*peer
	for _, argument := range flag.Args() {
		p, err := open(argument)
		must(err)
		defer p.close()
		peers = append(peers, p)
		done.Memory[p.name] = p.idle()
	}
	var large *blob
	if *kind == inMemory || *kind == shared || *kind == unread {
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
	for _, m := range measurements {
		if m.kind == *kind && chosen.MatchString(m.name) {
			done.Times[m.name], err = takeTurns(m, peers, *rounds)
			must(err)
		}
	}
	for _, p := range peers {
		done.Memory[p.name].Peak = resident(p.pid, "VmHWM")
	}
	must(json.NewEncoder(os.Stdout).Encode(done))
}

func must(err error) {
	if err != nil {
		log.Fatalf("bench: %v", err)
	}
}
