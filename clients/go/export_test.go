package udist

import "time"

// SetPatience shortens each wait for a store, and gives back what undoes that.
func SetPatience(short time.Duration) (undo func()) {
	before := patience
	patience = short
	return func() { patience = before }
}

// PluginLog returns the methods of a pluginLog.
func PluginLog(config Config) (line func(string), warn func(warnings []string, tail func() string)) {
	log := &pluginLog{config: config}
	return log.line, log.warn
}
