package udistribution

//go:generate go run -C .. ./internal/twin ../containersimage
