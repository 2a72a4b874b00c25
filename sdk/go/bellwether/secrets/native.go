//go:build !wasip1

package secrets

import "bellwether/internal/native"

func get(name string) (string, bool) { return native.Secret(name) }
