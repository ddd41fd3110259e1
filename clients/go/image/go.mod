module udist.dev/plugin/udist/image

go 1.26.0

require (
	udist.dev/plugin/udist v0.0.0
	go.podman.io/image/v5 v5.42.0
)

replace udist.dev/plugin/udist => ../
