// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

//go:generate go run -C .. ./internal/twin ../containersimage
