module udist.invalid/tests/clients/callers

go 1.26.0

require udist.dev/plugin/udist v0.0.0

require google.golang.org/protobuf v1.36.12 // indirect

replace udist.dev/plugin/udist => ../../../../clients/go
