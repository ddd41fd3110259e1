// Code generated from ../image by internal/twin; DO NOT EDIT.

// Package constants has udistribution's constants.
package constants

// TransportPrefix is the start of every transport's name.
const TransportPrefix = "udistribution-"
