package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processorTime returns the seconds that this process and another have used.
func processorTime(pid int) float64 {
	var ticks float64
	for _, process := range []string{"self", strconv.Itoa(pid)} {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", process))
		if err != nil {
			panic(err)
		}
		_, fields, _ := strings.Cut(string(status), ") ")
		for _, field := range strings.Fields(fields)[11:13] {
			value, err := strconv.ParseFloat(field, 64)
			if err != nil {
				panic(err)
			}
			ticks += value
		}
	}
	return ticks / 100
}
