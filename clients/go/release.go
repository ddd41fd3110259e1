package udist

import (
	"fmt"
	"regexp"
	"strings"
)

const sameRelease = "use a plugin and a client of the same release"

// namingRelease adds to a problem with versions of the protocol the name of this library and what to do.
func namingRelease(problem string) string {
	if strings.Contains(problem, implementation) {
		return problem
	}
	return fmt.Sprintf("%s (%s); %s", problem, implementation, sameRelease)
}

// ours matches the implementation strings of udist.
var ours = regexp.MustCompile(`^udist-[a-z]+/([0-9A-Za-z.+-]{1,40})$`)

// otherRelease says that the plugin is of another release than this library, or returns "" if it is not, or is not
// udist's.
func otherRelease(plugin string) string {
	found := ours.FindStringSubmatch(plugin)
	if found == nil || found[1] == Version {
		return ""
	}
	return fmt.Sprintf("the plugin is %s, and this client %s: %s", plugin, implementation, sameRelease)
}
