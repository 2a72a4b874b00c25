//go:build wasip1

package secrets

import host "bellwether/internal/wit/imports/bellwether_host_secrets"

func get(name string) (string, bool) {
	value := host.Get(name)
	if value.IsNone() {
		return "", false
	}
	return value.Some(), true
}
