// Package secrets reads what the operator mapped to this plugin by name (`secrets = [...]` under [wants]). Secrets cannot be
// listed; never log one.
package secrets

// Get is the value of a granted secret; false when it was not granted or is not set. Natively what hosttest set.
func Get(name string) (string, bool) { return get(name) }
