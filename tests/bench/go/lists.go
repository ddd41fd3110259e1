package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

const listed = 10_000 // or more

// list reads a list to the end of its last page.
func (p *peer) list(path string) error {
	count := 0
	for path != "" {
		entries, next, err := p.read(path)
		if err != nil {
			return err
		}
		count += entries
		path = next
	}
	if count < listed {
		return fmt.Errorf("a list of %d, expected %d", count, listed)
	}
	return nil
}

// page reads one page.
func (p *peer) page(path string, size int) error {
	entries, _, err := p.read(path)
	if err == nil && entries != size {
		err = fmt.Errorf("a page of %d, expected %d", entries, size)
	}
	return err
}

// read returns the number of entries of a page, and where the next one is.
func (p *peer) read(path string) (entries int, next string, err error) {
	response, err := p.client.Get(p.base + path)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	var page struct{ Tags, Repositories []string }
	err = json.NewDecoder(response.Body).Decode(&page)
	_, rest, _ := strings.Cut(response.Header.Get("Link"), "<")
	next, _, _ = strings.Cut(rest, ">")
	return len(page.Tags) + len(page.Repositories), next, err
}
